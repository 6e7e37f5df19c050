package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import nocturne.cuda.CudaSettings;
import nocturne.cuda.ProductMode;
import nocturne.cuda.Simulated;
import nocturne.io.DType;
import nocturne.qwen.Residency;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A short training whose frozen weights are multiplied in 8 bits, on a simulated CUDA device.
class EightBitTrainingTest {
    private static final int STEPS = 4;
    private static final String RECIPE = """
            name: tiny
            trigger_word: ohwx
            network: {type: lora, linear: 16, linear_alpha: 16}
            model: {quantize: true, qtype: int8}
            datasets:
              - {folder_path: dataset/2_ohwx, resolution: 64}
            train:
              steps: 4
              batch_size: 1
              gradient_accumulation: 1
              optimizer: adamw8bit
              lr: 8e-3
              validation_config: {validation_folder: heldout, validate_every_n_steps: 4, validation_sigmas: [0.3, 0.7]}
            save: {save_every: 4}
            sample: {prompts: []}
            """;

    private final Path folder;

    EightBitTrainingTest(@TempDir Path folder) {
        this.folder = folder;
    }

    /// In twenty steps at 2e-3, from 0.736: 0.5222 with decoded weights and 0.5227 in 8 bits for int8, 0.5216 and
    /// 0.5228 for float8, 0.5286 and 0.5292 for uint4.
    @Test
    void learnsWhatDecodedWeightsLearnAndResumesExactly() throws IOException {
        Path decoded = folder.resolve("decoded/run");
        assertThat(train(decoded, ProductMode.DECODED, Stop.NEVER)).isTrue();
        assertThat(notices(decoded)).isEmpty();
        Path whole = folder.resolve("whole/run");
        assertThat(train(whole, ProductMode.EIGHT_BIT, Stop.NEVER)).isTrue();
        assertThat(notices(whole)).singleElement().asString().contains("36 of 36 layers", "8 bits");

        double before = loss(decoded).getFirst();
        double expected = loss(decoded).getLast();
        assertThat(expected).as("held-out loss, before training %.4f", before).isLessThan(0.95 * before);
        assertThat(loss(whole).getLast()).as("with decoded weights %.5f", expected)
                .isBetween(0.95 * expected, 1.05 * expected).isNotEqualTo(expected);

        Path stopped = folder.resolve("stopped/run");
        assertThat(train(stopped, ProductMode.EIGHT_BIT, ShortRun.stopAtSomeStepOf(stopped, STEPS))).isFalse();
        // It goes on where most of the model's blocks come and go.
        assertThat(train(stopped, ProductMode.EIGHT_BIT, Stop.NEVER, new Residency(1, 2, true))).isTrue();
        assertThat(ShortRun.results(stopped)).isEqualTo(ShortRun.results(whole));
        assertThat(notices(stopped)).as("said once").isEqualTo(notices(whole));
    }

    private static List<Double> loss(Path out) {
        return ShortRun.events(out, "nocturne.job.measured.v1").stream()
                .map(event -> event.at("/data/loss").doubleValue()).toList();
    }

    private static List<String> notices(Path out) {
        return ShortRun.events(out, "nocturne.job.notice.v1").stream().map(event -> event.path("data"))
                .filter(data -> data.path("code").asText().equals("EIGHT_BIT_PRODUCTS"))
                .map(data -> data.path("message").asText()).toList();
    }

    private boolean train(Path out, ProductMode mode, Stop stop) throws IOException {
        return train(out, mode, stop, Residency.ALL);
    }

    private boolean train(Path out, ProductMode mode, Stop stop, Residency residency) throws IOException {
        Path bundle = folder.resolve("bundle");
        if (!Files.exists(bundle)) {
            ShortRun.bundleIn(Files.createDirectories(bundle));
            Files.writeString(bundle.resolve("recipe.yaml"), RECIPE);
        }
        PrintStream nowhere = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        return Training.run(new TrainingRequest(bundle, null, out, ShortRun.MODEL, 2, folder.resolve("home"),
                "test", nowhere, false, null, stop), threads -> Simulated.backend(new CudaSettings(DType.BF16, mode)),
                residency);
    }
}
