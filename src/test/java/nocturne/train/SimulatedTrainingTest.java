package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SortedMap;
import nocturne.cuda.Simulated;
import nocturne.io.DType;
import nocturne.qwen.Residency;
import nocturne.tensor.Backend;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The whole engine on a simulated CUDA device: pictures and captions are encoded, a LoRA is trained, samples are
/// drawn.
class SimulatedTrainingTest {
    private static final String RECIPE = """
            name: tiny
            trigger_word: ohwx
            network: {type: lora, linear: 4, linear_alpha: 4}
            model: {quantize: true, qtype: int8}
            datasets:
              - {folder_path: dataset/2_ohwx, resolution: 64}
            train:
              steps: 4
              batch_size: 1
              gradient_accumulation: 1
              optimizer: adamw8bit
              lr: 5e-4
              ema_config: {use_ema: true, ema_decay: 0.9}
            save: {save_every: 2, max_step_saves_to_keep: 10}
            sample:
              sample_every: 4
              width: 64
              height: 64
              sample_steps: 2
              prompts: ["a green star"]
            """;

    private final Path folder;

    SimulatedTrainingTest(@TempDir Path folder) {
        this.folder = folder;
    }

    @Test
    void trainsOnEightBitWeightsFromPicturesToSamplesAndResumesExactly() throws IOException {
        Path bundle = ShortRun.bundleIn(Files.createDirectories(folder.resolve("bundle")));
        Files.writeString(bundle.resolve("recipe.yaml"), RECIPE);
        Path whole = folder.resolve("whole/run");
        assertThat(train(bundle, whole, Stop.NEVER)).isTrue();
        SortedMap<String, String> undisturbed = ShortRun.results(whole);
        assertThat(undisturbed).containsKeys("tiny_000000002.safetensors", "tiny.safetensors",
                "samples/tiny_000000004_0.png");

        Path stopped = folder.resolve("stopped/run");
        assertThat(train(bundle, stopped, ShortRun.stopAfter(stopped, 3))).isFalse();
        assertThat(train(bundle, stopped, Stop.NEVER)).isTrue();
        assertThat(ShortRun.results(stopped)).isEqualTo(undisturbed);
    }

    /// One block stays on the device, the others come and go, the modulation layers but for what they answer.
    @Test
    void whereNotAllOfTheModelFitsItEndsInTheSameBytes() throws IOException {
        Path bundle = ShortRun.bundleIn(Files.createDirectories(folder.resolve("bundle")));
        Files.writeString(bundle.resolve("recipe.yaml"), RECIPE.replace("steps: 4", "steps: 2"));
        Path resident = folder.resolve("resident/run");
        assertThat(train(bundle, resident, Stop.NEVER)).isTrue();
        Path streamed = folder.resolve("streamed/run");
        assertThat(train(bundle, streamed, ShortRun.stopAfter(streamed, 1), new Residency(1, 2, true))).isFalse();
        // It goes on with more memory: a few blocks more stay.
        assertThat(Training.run(request(bundle, streamed, Stop.NEVER), SimulatedTrainingTest::device,
                (1L << 30) + 8_700_000)).isTrue();
        assertThat(ShortRun.results(streamed)).isEqualTo(ShortRun.results(resident)).hasSizeGreaterThan(3);
    }

    private boolean train(Path bundle, Path out, Stop stop) {
        return train(bundle, out, stop, Residency.ALL);
    }

    private boolean train(Path bundle, Path out, Stop stop, Residency residency) {
        return Training.run(request(bundle, out, stop), SimulatedTrainingTest::device, residency);
    }

    private static Backend device(int threads) {
        return Simulated.backend(DType.BF16);
    }

    private TrainingRequest request(Path bundle, Path out, Stop stop) {
        PrintStream nowhere = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        return new TrainingRequest(bundle, null, out, ShortRun.MODEL, 2, folder.resolve("home"), "test", nowhere,
                false, null, stop);
    }
}
