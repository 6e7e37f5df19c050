package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import nocturne.bundle.Bundle;
import nocturne.bundle.BundleLimits;
import nocturne.cpu.CpuBackend;
import nocturne.image.Picture;
import nocturne.image.PngWriter;
import nocturne.memory.MemoryPlan;
import nocturne.plan.ModelSearch;
import nocturne.tensor.Backend;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What is foretold of memory before a job is what its arenas take on the processor: whole trainings of the tiny model,
/// from an empty cache to the results. Memory is counted, so that a machine's speed and load change nothing.
class ProcessorMemoryTest {
    /// A tenth is promised. What is counted by the same code on a device without memory is nearer than that, and should
    /// stay so.
    private static final double OFF = 0.02;
    private static final String RECIPE = """
            name: tiny
            trigger_word: ohwx
            model: {name_or_path: %s, %s}
            network: {type: lora, linear: %d, linear_alpha: 4}
            datasets:
              - {folder_path: pictures, %s}
            train: {steps: 1, lr: 5e-4, %s}
            save: {save_every: 10}
            sample: {sample_every: 10, sample_steps: 2, %s}
            """;

    @TempDir
    private Path folder;

    /// Recipes that differ in all that takes memory.
    private enum Kind {
        COMPUTED_TWICE("quantize: false", 4, "resolution: 256",
                "gradient_accumulation: 2, gradient_checkpointing: true, optimizer: adamw,"
                        + " ema_config: {use_ema: true, ema_decay: 0.9}",
                "width: 64, height: 64, prompts: ['a large ohwx on a gray background']"),
        BATCHES_AND_BYTES("quantize: false", 16, "resolution: 64",
                "batch_size: 2, gradient_checkpointing: false, optimizer: adamw8bit, ema_config: {use_ema: false}",
                "width: 128, height: 64, prompts: ['a green star']"),
        FEW_BITS_AND_TWO_SIZES("quantize: true, qtype: int8", 32, "resolution: [64, 128]",
                "gradient_accumulation: 3, optimizer: adamw,"
                        + " validation_config: {validation_folder: heldout, validation_sigmas: [0.5]}",
                "prompts: []"),
        EDITS("arch: qwen_image_edit_plus, model_kwargs: {match_target_res: true}", 8,
                "resolution: 128, control_path: before", "gradient_checkpointing: false",
                "width: 128, height: 128, samples: [{prompt: make it red, ctrl_img_1: before/0.png}]"),
        LARGE("quantize: false", 64, "resolution: 256",
                "batch_size: 2, gradient_checkpointing: false, optimizer: adamw,"
                        + " ema_config: {use_ema: true, ema_decay: 0.9}",
                "prompts: []");

        private final String model;
        private final int rank;
        private final String dataset;
        private final String train;
        private final String sample;

        Kind(String model, int rank, String dataset, String train, String sample) {
            this.model = model;
            this.rank = rank;
            this.dataset = dataset;
            this.train = train;
            this.sample = sample;
        }

        String recipe() {
            return RECIPE.formatted(ShortRun.MODEL, model, rank, dataset, train, sample);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aTrainingTakesWhatWasForetold(Kind kind) throws IOException {
        Path bundle = bundle(kind);
        MemoryPlan plan = foretold(bundle);
        WatchedArenas arenas = new WatchedArenas();
        Path cache = folder.resolve("cache");
        Training.run(new TrainingRequest(bundle, null, folder.resolve("run"), null, 1, folder, "test",
                        new PrintStream(OutputStream.nullOutputStream()), false, null, Stop.NEVER, cache, null),
                threads -> arenas.on(new CpuBackend(threads)));

        assertThat((double) plan.peakBytes() / arenas.peakBytes()).as("%,d bytes taken, %s", arenas.peakBytes(), plan)
                .isBetween(1 - OFF, 1 + OFF);
        assertThat(arenas.arenas().get(0).peakBytes()).as("what is trained").isEqualTo(plan.standing().trained());
        assertThat(arenas.arenas().get(1).peakBytes()).as("frozen weights").isEqualTo(plan.weightBytes());
    }

    private MemoryPlan foretold(Path bundle) {
        try (Backend processor = new CpuBackend(1)) {
            return Forecast.of(Bundle.open(bundle, folder.resolve("bundles"), BundleLimits.STANDARD), "tiny", null,
                    new ModelSearch.Anywhere(folder), folder.resolve("cache"),
                    Forecast.Device.processor("", processor::rehearsal)).memory();
        }
    }

    private Path bundle(Kind kind) throws IOException {
        Path bundle = folder.resolve("bundle");
        for (String name : List.of("pictures", "before", "heldout")) {
            Path pictures = Files.createDirectories(bundle.resolve(name));
            for (int i = 0; i < 2; i++) {
                byte[] rgb = new byte[3 * 256 * 256];
                for (int p = 0; p < rgb.length; p++) rgb[p] = (byte) (p * (i + 3) / 97 + name.length());
                Files.write(pictures.resolve(i + ".png"),
                        PngWriter.png(new Picture(256, 256, rgb), new LinkedHashMap<>()));
                Files.writeString(pictures.resolve(i + ".txt"),
                        "ohwx, a picture" + " of something".repeat(1 + 5 * i));
            }
        }
        Files.writeString(bundle.resolve("recipe.yaml"), kind.recipe());
        return bundle;
    }
}
