package nocturne.sample;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import nocturne.cpu.CpuBackend;
import nocturne.golden.Golden;
import nocturne.io.TensorSource;
import nocturne.qwen.FlowMatchConfig;
import nocturne.qwen.FlowMatchSchedule;
import nocturne.qwen.Grid;
import nocturne.qwen.Latents;
import nocturne.qwen.PromptEmbedding;
import nocturne.qwen.TransformerCase;
import nocturne.qwen.Vae;
import nocturne.qwen.VaeConfig;
import nocturne.sample.Conditions.Control;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The whole loop of the reference pipelines, with the golden transformer and autoencoder: every step's latents and the
/// picture. The reference's own float32 lies about 1e-5 from float64; 1e-3 is its authors' bound for the end of a loop.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SampleGoldenTest {
    private static final JsonNode MANIFEST = Golden.json("golden/sample.json");
    private static final double LATENTS_BOUND = 1e-3;
    private static final double IMAGE_BOUND = 1e-3;
    private static final double CONTROL_BOUND = 1e-4;
    private static final double SIGMA_BOUND = 2e-6;

    private final CpuBackend backend = new CpuBackend(2);
    private final TensorArena weights = backend.newArena();
    private final TensorArena work = backend.newArena();
    private Vae vae;

    @BeforeAll
    void load() {
        VaeConfig config = VaeConfig.of(Golden.json("golden/vae.json").path("config"), "vae.json");
        vae = Vae.load(config, Golden.tensors("golden/" + MANIFEST.path("vae").asText()), backend, weights);
    }

    @AfterAll
    void close() {
        work.close();
        weights.close();
        backend.close();
    }

    static List<String> cases() {
        return Golden.names(MANIFEST.path("cases"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void walksFromTheReferencesNoiseToItsPicture(String name) {
        JsonNode settings = MANIFEST.path("cases").path(name);
        TensorSource golden = golden(name);
        int steps = MANIFEST.path("steps").asInt();
        Grid grid = Grid.ofPixels(settings.path("width").asInt(), settings.path("height").asInt());
        float[] perStep = golden.floats("latents_per_step_packed");
        int length = perStep.length / steps;
        boolean zeroCondT = settings.path("zero_cond_t").asBoolean();
        try (TensorArena own = backend.newArena()) {
            Denoiser model = new TransformerDenoiser(TransformerCase.load(backend, own, zeroCondT), backend, work);
            Guidance guidance = new Guidance(
                    settings.path("true_cfg_scale").asDouble(), settings.path("cfg_norm").asBoolean());
            float[] found = new Sampler(model, schedule()).sample(golden.floats("init_latents_packed"), grid, steps,
                    guidance, conditions(settings, golden), (done, all, latents) -> {
                        float[] reference = Arrays.copyOfRange(perStep, (done - 1) * length, done * length);
                        assertClose("latents after step " + done, latents, reference, LATENTS_BOUND);
                    });
            assertClose("packed", found, golden.floats("final_latents_packed"), LATENTS_BOUND);
            int height = 2 * grid.rows();
            int width = 2 * grid.columns();
            float[] latents = Latents.unpack(found, vae.config().latentDim(), height, width);
            assertClose("latents", latents, golden.floats("final_latents"), LATENTS_BOUND);
            float[] pixels = vae.decode(latents, height, width);
            for (int i = 0; i < pixels.length; i++) pixels[i] = pixels[i] / 2 + 0.5f;
            assertClose("picture", pixels, golden.floats("image_01"), IMAGE_BOUND);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void noiseIsPackedAndLevelsFallAsInTheReference(String name) {
        JsonNode settings = MANIFEST.path("cases").path(name);
        TensorSource golden = golden(name);
        Grid grid = Grid.ofPixels(settings.path("width").asInt(), settings.path("height").asInt());
        float[] noise = golden.floats("init_noise");
        assertThat(Latents.pack(noise, vae.config().latentDim(), 2 * grid.rows(), 2 * grid.columns()))
                .isEqualTo(golden.floats("init_latents_packed"));
        FlowMatchSchedule schedule = FlowMatchSchedule.of(schedule(), MANIFEST.path("steps").asInt(), grid.tokens());
        float[] sigmas = new float[schedule.steps() + 1];
        for (int i = 0; i < sigmas.length; i++) sigmas[i] = schedule.sigma(i);
        assertClose("sigmas", sigmas, golden.floats("sigmas"), SIGMA_BOUND);
    }

    /// The controls are encoded here, so that the loop is checked from pictures to picture.
    private Conditions conditions(JsonNode settings, TensorSource golden) {
        List<Control> controls = new ArrayList<>();
        for (JsonNode size : settings.path("control_sizes")) {
            int k = controls.size();
            List<Long> shape = golden.entry("control_image_" + k).shape();
            int height = shape.get(2).intValue();
            int width = shape.get(3).intValue();
            assertThat(height * width).isEqualTo(size.get(0).asInt() * size.get(1).asInt());
            float[] latents = vae.encode(golden.floats("control_image_" + k), height, width).mode();
            assertClose("control " + k, latents, golden.floats("control_latents_" + k), CONTROL_BOUND);
            controls.add(new Control(Grid.ofPixels(width, height), Latents.pack(latents, vae.config().latentDim(),
                    height / vae.config().scale(), width / vae.config().scale())));
        }
        PromptEmbedding prompt = embedding(golden, "prompt_embeds");
        return new Conditions(prompt, golden.has("negative_prompt_embeds") ? embedding(golden, "negative_prompt_embeds")
                : prompt, controls);
    }

    /// Padding is at the end and without influence, so only the real rows are kept.
    private static PromptEmbedding embedding(TensorSource golden, String name) {
        float[] rows = golden.floats(name);
        int width = golden.entry(name).shape().get(2).intValue();
        String mask = name + "_mask";
        int tokens = golden.has(mask) ? Arrays.stream(golden.ints(mask)).sum() : rows.length / width;
        return new PromptEmbedding(tokens, width, Arrays.copyOf(rows, tokens * width));
    }

    private static FlowMatchConfig schedule() {
        JsonNode config = Golden.json("golden/scheduler.json").path("config");
        return new FlowMatchConfig(config.path("base_shift").asDouble(), config.path("max_shift").asDouble(),
                config.path("base_image_seq_len").asInt(), config.path("max_image_seq_len").asInt(),
                config.path("shift_terminal").asDouble(), config.path("num_train_timesteps").asInt());
    }

    private static TensorSource golden(String name) {
        return Golden.tensors("golden/sample_" + name + ".safetensors");
    }

    private static void assertClose(String what, float[] ours, float[] reference, double bound) {
        assertThat(Golden.maxAbsDiff(ours, reference)).as(what).isLessThanOrEqualTo(bound);
    }
}
