package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SortedMap;
import nocturne.cuda.CudaSettings;
import nocturne.cuda.MeasuredDevice;
import nocturne.io.DType;
import nocturne.io.Safetensors;
import nocturne.problem.SickMachine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Trainings on a simulated device that gives no more memory from some allocation on.
class OutOfMemoryTest {
    private static final String RECIPE = """
            name: tiny
            trigger_word: ohwx
            network: {type: lora, linear: 4, linear_alpha: 4}
            model: {quantize: true, qtype: int8}
            datasets:
              - {folder_path: dataset/2_ohwx, resolution: 64}
            train: {steps: 2, batch_size: 1, gradient_accumulation: 1, optimizer: adamw8bit, lr: 5e-4}
            save: {save_every: 1, max_step_saves_to_keep: 10}
            sample: {sample_every: 2, width: 64, height: 64, sample_steps: 2, prompts: ["a green star"]}
            probe: {enabled: false}
            """;
    private static final long PLENTY = 1L << 32;
    /// Allocations of a run that are made to fail.
    private static final int TRIED = 9;

    private final Path folder;

    OutOfMemoryTest(@TempDir Path folder) {
        this.folder = folder;
    }

    /// The allocations of the first run are those of encoding too; all others find its cache.
    @Test
    void whereverMemoryEndsTheRunSaysSoAndGoesOnLater() throws IOException {
        Path bundle = ShortRun.bundleIn(Files.createDirectories(folder.resolve("bundle")));
        Files.writeString(bundle.resolve("recipe.yaml"), RECIPE);
        long encoding = fails(bundle, folder.resolve("cold/run"), MeasuredDevice.of(PLENTY).refusing(4));
        assertThat(encoding).isEqualTo(4);
        Path out = folder.resolve("whole/run");
        train(bundle, out, MeasuredDevice.of(PLENTY));
        SortedMap<String, String> whole = ShortRun.results(out);

        MeasuredDevice warm = MeasuredDevice.of(PLENTY);
        train(bundle, folder.resolve("warm/run"), warm);
        assertThat(warm.allocations()).isGreaterThan(TRIED);
        Path failed = folder.resolve("failed/run");
        for (int i = 0; i < TRIED; i++) {
            long refused = 1 + i * (warm.allocations() - 1) / (TRIED - 1);
            fails(bundle, failed, MeasuredDevice.of(PLENTY).refusing(refused));
        }
        train(bundle, failed, MeasuredDevice.of(PLENTY));
        assertThat(ShortRun.results(failed)).isEqualTo(whole).hasSizeGreaterThan(3);
    }

    /// @return how often memory was asked for
    private long fails(Path bundle, Path out, MeasuredDevice device) throws IOException {
        assertThatThrownBy(() -> train(bundle, out, device)).isInstanceOfSatisfying(SickMachine.class,
                machine -> assertThat(machine.code()).isEqualTo("GPU_OUT_OF_MEMORY"));
        assertThat(ShortRun.events(out, "").getLast().at("/data/code").asText()).isEqualTo("GPU_OUT_OF_MEMORY");
        for (Path file : ShortRun.files(out)) {
            if (!file.toString().endsWith(".safetensors")) continue;
            try (Safetensors tensors = Safetensors.open(file)) {
                assertThat(tensors.tensors()).isNotEmpty();
            }
        }
        return device.allocations();
    }

    private void train(Path bundle, Path out, MeasuredDevice device) {
        PrintStream nowhere = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        Training.run(new TrainingRequest(bundle, null, out, ShortRun.MODEL, 2, folder.resolve("home"), "test", nowhere,
                false, null, Stop.NEVER), threads -> device.backend(CudaSettings.of(DType.BF16)));
    }
}
