package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import nocturne.adapter.AdapterFile;
import nocturne.adapter.AdapterMetadata;
import nocturne.adapter.LinearShape;
import nocturne.adapter.Lora;
import nocturne.adapter.LoraLayout;
import nocturne.cpu.CpuBackend;
import nocturne.io.AtomicFiles;
import nocturne.io.CrashFileSystem;
import nocturne.io.CrashFileSystem.Failure;
import nocturne.io.CrashFileSystem.PowerOff;
import nocturne.io.DiskHistory.Crash;
import nocturne.problem.SickMachine;
import nocturne.promise.Promise;
import nocturne.recipe.BundleFacts;
import nocturne.recipe.Recipe;
import nocturne.recipe.RecipeReader;
import nocturne.tensor.Backend;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The state to resume from, and the adapters a person downloads, on a disk that loses power at every moment.
class SavedStateCrashTest {
    private static final int PARAMETERS = 3000;
    private static final int STEPS = 4;
    private static final SequencedMap<String, LinearShape> TARGETS =
            new LinkedHashMap<>(Map.of("transformer_blocks.0.attn.to_q", new LinearShape(24, 16)));

    private final Backend backend = new CpuBackend(1);
    private final TensorArena arena = backend.newArena();
    private final Tensor parameters = backend.tensor(arena, new float[PARAMETERS], PARAMETERS);
    private final Tensor moments = backend.tensor(arena, new float[PARAMETERS], PARAMETERS);

    @TempDir
    private Path scratch = Path.of("");

    @AfterEach
    void close() {
        arena.close();
        backend.close();
    }

    @Test
    @Promise(row = 2, fault = "power cut at every moment of four saves; unforced bytes lost, torn, zeroed; names lost")
    void afterEveryCrashTheNewestStateOrTheOneBeforeIsFoundAndBothAreWhole() throws IOException {
        CrashFileSystem disk = disk("cut");
        for (int step = 1; step <= STEPS; step++) {
            save(disk, step);
            disk.promise("step " + step);
        }
        List<Crash> crashes = disk.crashes();
        for (Crash crash : crashes) {
            Path left = crash.rebuiltIn(scratch.resolve("left"));
            requireState(left, promised(crash), crash.toString());
        }
        assertThat(crashes).hasSizeGreaterThan(20);
    }

    @Test
    @Promise(row = 2, fault = "the process gone at every change to the disk, and started again")
    void afterEveryStopTheRunGoesOnFromWholeState() throws IOException {
        int stops = 0;
        for (boolean stopped = true; stopped; ) {
            stops++;
            CrashFileSystem disk = disk("stop-" + stops).stopAt(stops);
            int saved = 0;
            try {
                for (int step = 1; step <= STEPS; step++) {
                    save(disk, step);
                    saved = step;
                }
                stopped = false;
            } catch (PowerOff off) {
                AtomicFiles.removeLeftovers(disk.realRoot());
            }
            requireState(disk.realRoot(), saved, "stopped at change " + stops);
        }
        assertThat(stops).isGreaterThan(20);
    }

    @ParameterizedTest
    @EnumSource(Failure.class)
    @Promise(row = 2, fault = "every change to the disk fails in turn: full, I/O error, stale handle, answer lost")
    void aSaveThatFailsSaysSoAndLeavesTheStateBefore(Failure failure) throws IOException {
        boolean failed = true;
        for (int change = 1; failed; change++) {
            CrashFileSystem disk = disk(failure.name() + change).failAt(change, failure);
            int saved = 0;
            failed = false;
            for (int step = 1; step <= STEPS; step++) {
                try {
                    save(disk, step);
                    saved = step;
                } catch (SickMachine told) {
                    failed = true;
                    requireState(disk.realRoot(), saved, failure + " at change " + change);
                }
            }
            requireState(disk.realRoot(), saved, failure + " at change " + change + ", and on");
        }
    }

    @Test
    @Promise(row = 2, fault = "power cut at every moment of saving and pruning adapters")
    void anAdapterIsNeverThereInPart() throws IOException {
        CrashFileSystem disk = disk("adapters");
        Recipe recipe = recipe();
        Lora lora = new Lora(LoraLayout.of(TARGETS, 4), 4, backend, arena);
        Checkpoints checkpoints = new Checkpoints(disk.root(), recipe, lora, backend, metadata(), 1);
        List<Checkpoints.Saved> saved = new ArrayList<>();
        for (int step = 1; step <= STEPS; step++) {
            float[] values = new float[(int) lora.layout().parameters()];
            Arrays.fill(values, step);
            backend.write(values, lora.values());
            saved.add(checkpoints.write(step, step == STEPS, lora.values(), false, false));
            disk.promise("step " + step);
            List<Integer> removed = checkpoints.prune(saved, Map.of());
            saved.removeIf(one -> removed.contains(one.step()));
        }
        for (Crash crash : disk.crashes()) {
            Path left = crash.rebuiltIn(scratch.resolve("left"));
            for (Path file : ShortRun.files(left)) {
                assertThat(AdapterFile.read(file, TARGETS).modules()).as(crash + ": " + file).hasSize(1);
            }
            int last = promised(crash);
            String name = last == STEPS ? "tiny" : "tiny_%09d".formatted(last);
            if (last > 0) assertThat(left.resolve(name + ".safetensors")).as(crash.toString()).exists();
        }
    }

    /// After this many saves that were reported as done, the state found is that of the last of them or of the next.
    private void requireState(Path folder, int saved, String when) {
        Snapshots.Restored restored = snapshots(folder).restore(0);
        assertThat(restored.step()).as(when).isBetween(saved, saved + 1);
        if (restored.step() == 0) return;
        assertThat(backend.toArray(parameters)).as(when).containsOnly(restored.step());
        assertThat(backend.toArray(moments)).as(when).containsOnly(-restored.step());
    }

    private static int promised(Crash crash) {
        int last = 0;
        for (int step = 1; step <= STEPS; step++) if (crash.promised("step " + step)) last = step;
        return last;
    }

    private void save(CrashFileSystem disk, int step) {
        float[] values = new float[PARAMETERS];
        Arrays.fill(values, step);
        backend.write(values, parameters);
        Arrays.fill(values, -step);
        backend.write(values, moments);
        snapshots(disk.root()).write(step, Health.UNTRIED.afterSound(step), Duration.ZERO);
    }

    private Snapshots snapshots(Path folder) {
        SequencedMap<String, Tensor> parts = new LinkedHashMap<>();
        parts.put("parameters", parameters);
        parts.put("m", moments);
        return new Snapshots(folder, "fingerprint", 1, parts, backend);
    }

    private static Recipe recipe() {
        String text = """
                name: tiny
                trigger_word: ohwx
                datasets: [{folder_path: pictures}]
                train: {steps: 4}
                save: {save_every: 1, max_step_saves_to_keep: 2}
                """;
        return RecipeReader.in(BundleFacts.named("tiny")).read(text, "recipe.yaml").recipe();
    }

    private static AdapterMetadata metadata() {
        return new AdapterMetadata("tiny", "ohwx", "model", AdapterMetadata.Family.QWEN_IMAGE,
                new AdapterMetadata.Training(4, 4, 0, 4, 0, 1e-3, "adamw", "Constant", "sigmoid", 1, 1, 64, 1), "test",
                Map.of());
    }

    private CrashFileSystem disk(String name) throws IOException {
        return CrashFileSystem.over(Files.createDirectories(scratch.resolve(name)));
    }
}
