package nocturne.adapter;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What an adapter file says about itself in its header, in the dialects that its readers look for.
///
/// There is no date in it on purpose: the same training gives the same bytes, whenever it ran. Paths are cut to their
/// last part, since the file goes to strangers.
///
/// @param name       the file's name without its ending
/// @param trigger    the word that calls the concept; null if there is none
/// @param baseModel  the model trained on: a hub id such as `Qwen/Qwen-Image`, or a folder's name
/// @param family     which model of the family
/// @param training   how it was trained
/// @param version    version of this program
/// @param provenance our own entries: job id, bundle hash, data set hash, recipe hash, notices
public record AdapterMetadata(
        String name,
        @Nullable String trigger,
        String baseModel,
        Family family,
        Training training,
        String version,
        Map<String, String> provenance) {
    /// Readers load the header as a whole before they know what is in it.
    static final int MAX_BYTES = 64 * 1024;

    private static final int MAX_VALUE = 1000;
    private static final Pattern ABSOLUTE = Pattern.compile("^(/|\\\\|~|file:|[A-Za-z]:[/\\\\]).*", Pattern.DOTALL);
    private static final JsonMapper JSON = new JsonMapper();

    /// The models of the family, with the names that viewers know.
    public enum Family {
        QWEN_IMAGE("Qwen-Image/lora"),
        QWEN_IMAGE_EDIT("Qwen-Image-Edit/lora"),
        QWEN_IMAGE_EDIT_PLUS("Qwen-Image-Edit-Plus/lora"),
        QWEN_IMAGE_EDIT_2511("Qwen-Image-Edit-2511/lora");

        private final String architecture;

        Family(String architecture) {
            this.architecture = architecture;
        }
    }

    /// @param alpha        as configured; the file's tensors have `alpha / rank` folded in
    /// @param step         optimizer updates so far, of `steps`
    /// @param images       pictures in the data set
    /// @param accumulation micro batches per update
    /// @param resolution   side of a square of the trained area, pixels
    public record Training(
            int rank,
            double alpha,
            long step,
            long steps,
            long epoch,
            double learningRate,
            String optimizer,
            String schedule,
            String timestepSampling,
            int images,
            int accumulation,
            int resolution,
            long seed) {
        /// The same training after other many steps; the epoch follows, rounded down.
        public Training at(long otherStep, long stepsPerEpoch) {
            return new Training(rank, alpha, otherStep, steps, otherStep / Math.max(1, stepsPerEpoch), learningRate,
                    optimizer, schedule, timestepSampling, images, accumulation, resolution, seed);
        }
    }

    public AdapterMetadata {
        provenance = new LinkedHashMap<>(provenance);
    }

    /// The header's strings, in the order they are written.
    ///
    /// @param modelHash SHA-256 of the tensor bytes
    /// @param dtype     what the tensors are stored as
    SequencedMap<String, String> toHeader(String modelHash, String dtype) {
        SequencedMap<String, String> header = new LinkedHashMap<>();
        header.put("format", "pt");
        putOfAiToolkit(header);
        putOfKohya(header, modelHash, dtype);
        putOfModelspec(header);
        ObjectNode own = JSON.createObjectNode().put("version", version).put("alpha", training.alpha());
        provenance.forEach((key, value) -> own.put(key, told(value)));
        header.put("nocturne", own.toString());
        long bytes = 0;
        for (Map.Entry<String, String> entry : header.entrySet()) {
            bytes += entry.getKey().getBytes(StandardCharsets.UTF_8).length
                    + entry.getValue().getBytes(StandardCharsets.UTF_8).length;
        }
        if (bytes > MAX_BYTES) throw new IllegalArgumentException("adapter metadata of %d bytes".formatted(bytes));
        return header;
    }

    private void putOfAiToolkit(Map<String, String> header) {
        header.put("name", told(name));
        header.put("software", JSON.createObjectNode().put("name", "nocturne").put("version", version).toString());
        header.put("training_info", JSON.createObjectNode()
                .put("step", training.step()).put("epoch", training.epoch()).toString());
    }

    private void putOfKohya(Map<String, String> header, String modelHash, String dtype) {
        // The same for every model of the family: it is what viewers know.
        header.put("ss_base_model_version", "qwen_image");
        header.put("ss_sd_model_name", told(baseModel));
        header.put("ss_output_name", told(name));
        header.put("ss_network_module", "networks.lora_qwen_image");
        header.put("ss_network_dim", Integer.toString(training.rank()));
        header.put("ss_network_alpha", Double.toString(training.alpha()));
        header.put("ss_learning_rate", Double.toString(training.learningRate()));
        header.put("ss_optimizer", told(training.optimizer()));
        header.put("ss_lr_scheduler", told(training.schedule()));
        header.put("ss_steps", Long.toString(training.step()));
        header.put("ss_max_train_steps", Long.toString(training.steps()));
        header.put("ss_epoch", Long.toString(training.epoch()));
        header.put("ss_num_train_items", Integer.toString(training.images()));
        header.put("ss_gradient_accumulation_steps", Integer.toString(training.accumulation()));
        header.put("ss_full_fp16", "False");
        header.put("ss_save_precision", dtype);
        header.put("ss_seed", Long.toString(training.seed()));
        header.put("ss_timestep_sampling", told(training.timestepSampling()));
        if (trigger != null) {
            ObjectNode frequency = JSON.createObjectNode();
            frequency.putObject("1_" + cut(trigger)).put(cut(trigger), 1);
            header.put("ss_tag_frequency", frequency.toString());
        }
        header.put("sshs_model_hash", modelHash);
    }

    private void putOfModelspec(Map<String, String> header) {
        header.put("modelspec.sai_model_spec", "1.0.0");
        header.put("modelspec.architecture", family.architecture);
        header.put("modelspec.implementation", "diffusers");
        header.put("modelspec.title", told(name));
        header.put("modelspec.resolution", training.resolution() + "x" + training.resolution());
        if (trigger != null) header.put("modelspec.trigger_phrase", cut(trigger));
    }

    /// A value fit for strangers: not long, and no path of this machine.
    private static String told(String value) {
        String text = cut(value);
        if (!ABSOLUTE.matcher(text).matches()) return text;
        String[] parts = text.split("[/\\\\]+");
        return parts.length == 0 ? "" : parts[parts.length - 1];
    }

    private static String cut(String text) {
        return text.length() <= MAX_VALUE ? text : text.substring(0, text.offsetByCodePoints(0, MAX_VALUE / 2));
    }
}
