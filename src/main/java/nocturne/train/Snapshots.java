package nocturne.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Stream;
import nocturne.io.DType;
import nocturne.io.Safetensors;
import nocturne.io.SafetensorsWriter;
import nocturne.io.TensorData;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import nocturne.tensor.Tensor;

/// Everything that decides how training goes on after a step, one file a step below `.state/`.
///
/// The file holds the adapter as trained, both moments of the optimiser, and the moving average where there is one.
/// There is no state of a random generator and no position in the data: both are functions of the seed and the step
/// (see [nocturne.tensor.Philox] and [nocturne.dataset.DataOrder]).
final class Snapshots {
    private static final int KEPT = 2;
    private static final String PREFIX = "step-";

    private final Path folder;
    private final String fingerprint;
    private final int threads;
    private final SequencedMap<String, Tensor> parts;

    /// What training goes on from.
    ///
    /// @param step    updates made; 0 where there is no state to go on from
    /// @param threads that computed it: with another number the last bits of what follows may differ
    record Restored(int step, int threads) {}

    /// @param threads     that compute now
    /// @param parts       the tensors that are written and restored, in host memory
    /// @param fingerprint of the run; files of another are passed over
    Snapshots(Path folder, String fingerprint, int threads, SequencedMap<String, Tensor> parts) {
        this.folder = folder;
        this.fingerprint = fingerprint;
        this.threads = threads;
        this.parts = new LinkedHashMap<>(parts);
    }

    /// Writes the state after `step` updates, whole or not at all, and then removes all files but the newest two.
    ///
    /// @throws SickMachine `DISK_FULL`; the earlier files are then still there
    void write(int step) {
        List<TensorData> tensors = new ArrayList<>();
        for (Map.Entry<String, Tensor> part : parts.entrySet()) {
            Tensor tensor = part.getValue();
            tensors.add(TensorData.floats(part.getKey(), DType.F32, List.of(tensor.elements()), tensor.data()));
        }
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put("fingerprint", fingerprint);
        metadata.put("step", Integer.toString(step));
        metadata.put("threads", Integer.toString(threads));
        metadata.put("sha256", SafetensorsWriter.dataHash(tensors));
        SafetensorsWriter.write(folder.resolve(PREFIX + "%09d.safetensors".formatted(step)), metadata, tensors);
        List<Path> all = newestFirst();
        for (Path old : all.subList(Math.min(KEPT, all.size()), all.size())) delete(old);
    }

    /// Brings the tensors to the newest sound state. A damaged file is passed over: the one before it leads to the same
    /// result, only later.
    ///
    /// @return step 0 where there is no state to go on from, and then nothing was changed
    Restored restore() {
        for (Path file : newestFirst()) {
            try (Safetensors source = Safetensors.open(file)) {
                if (!isSound(source)) continue;
                int step = Integer.parseInt(source.metadata().getOrDefault("step", ""));
                parts.forEach((name, tensor) -> source.widen(name, tensor.data(), 0));
                return new Restored(step, Integer.parseInt(source.metadata().getOrDefault("threads", "")));
            } catch (UserMistake | NumberFormatException damaged) {
                // The one before it, then.
            }
        }
        return new Restored(0, threads);
    }

    private boolean isSound(Safetensors source) {
        if (!fingerprint.equals(source.metadata().get("fingerprint"))) return false;
        List<TensorData> stored = new ArrayList<>();
        for (Map.Entry<String, Tensor> part : parts.entrySet()) {
            String name = part.getKey();
            List<Long> shape = List.of(part.getValue().elements());
            if (!source.has(name) || !source.entry(name).shape().equals(shape)) return false;
            stored.add(TensorData.floats(name, DType.F32, shape, source.bytes(name)));
        }
        return SafetensorsWriter.dataHash(stored).equals(source.metadata().get("sha256"));
    }

    private List<Path> newestFirst() {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().startsWith(PREFIX))
                    .sorted(Comparator.comparing(Path::toString).reversed())
                    .toList();
        } catch (IOException e) {
            throw new SickMachine("STATE_UNREADABLE", "listing " + folder + ": " + e, e);
        }
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new SickMachine("STATE_UNREADABLE", "removing " + file + ": " + e, e);
        }
    }
}
