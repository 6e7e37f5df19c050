package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SortedMap;
import java.util.TreeMap;
import nocturne.cuda.Simulated;
import nocturne.io.DType;
import nocturne.qwen.Residency;
import nocturne.tensor.Backend;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// The whole engine on a simulated CUDA device: pictures and captions are encoded, a LoRA is trained, a sample is
/// drawn. However it is interrupted and wherever its weights lie, it ends in the same bytes.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SimulatedTrainingTest {
    private static final int STEPS = 3;
    private static final String RECIPE = """
            name: tiny
            trigger_word: ohwx
            network: {type: lora, linear: 4, linear_alpha: 4}
            model: {quantize: true, qtype: int8}
            datasets:
              - {folder_path: dataset/2_ohwx, resolution: 64}
            train:
              steps: 3
              batch_size: 1
              gradient_accumulation: 1
              optimizer: adamw8bit
              lr: 5e-4
              ema_config: {use_ema: true, ema_decay: 0.9}
              skip_first_sample: true
            save: {save_every: 2, max_step_saves_to_keep: 10}
            sample:
              sample_every: 3
              width: 64
              height: 64
              sample_steps: 2
              prompts: ["a green star"]
            probe: {enabled: false}
            """;

    private Path folder = Path.of("");
    private SortedMap<String, String> undisturbed = new TreeMap<>();

    @BeforeAll
    void trainWithoutDisturbance(@TempDir Path shared) throws IOException {
        folder = shared;
        ShortRun.bundleIn(Files.createDirectories(bundle()));
        Files.writeString(bundle().resolve("recipe.yaml"), RECIPE);
        Path whole = folder.resolve("whole/run");
        assertThat(train(whole, Stop.NEVER, Residency.ALL)).isTrue();
        undisturbed = ShortRun.results(whole);
        assertThat(undisturbed).containsKeys("tiny_000000002.safetensors", "tiny.safetensors",
                "samples/tiny_000000003_0.png");
    }

    @Test
    void interruptedAtAnyStepItEndsInTheSameBytes() {
        Path stopped = folder.resolve("stopped/run");
        assertThat(train(stopped, ShortRun.stopAtSomeStepOf(stopped, STEPS), Residency.ALL)).isFalse();
        assertThat(train(stopped, Stop.NEVER, Residency.ALL)).isTrue();
        assertThat(ShortRun.results(stopped)).isEqualTo(undisturbed);
    }

    /// One block stays on the device, the others come and go, the modulation layers but for what they answer.
    @Test
    void whereNotAllOfTheModelFitsItEndsInTheSameBytes() {
        Path streamed = folder.resolve("streamed/run");
        assertThat(train(streamed, ShortRun.stopAtSomeStepOf(streamed, STEPS), new Residency(1, 2, true))).isFalse();
        // It goes on with more memory: a few blocks more stay.
        assertThat(Training.run(request(streamed, Stop.NEVER), SimulatedTrainingTest::device,
                MemoryBudget.of((1L << 30) + 8_700_000))).isTrue();
        assertThat(ShortRun.results(streamed)).isEqualTo(undisturbed);
    }

    private Path bundle() {
        return folder.resolve("bundle");
    }

    private boolean train(Path out, Stop stop, Residency residency) {
        return Training.run(request(out, stop), SimulatedTrainingTest::device, residency);
    }

    private static Backend device(int threads) {
        return Simulated.backend(DType.BF16);
    }

    private TrainingRequest request(Path out, Stop stop) {
        PrintStream nowhere = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        return new TrainingRequest(bundle(), null, out, ShortRun.MODEL, 2, folder.resolve("home"), "test", nowhere,
                false, null, stop);
    }
}
