package nocturne.train;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Stream;
import nocturne.io.AtomicFiles;
import nocturne.io.DType;
import nocturne.io.Safetensors;
import nocturne.io.SafetensorsWriter;
import nocturne.io.TensorData;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import nocturne.tensor.Backend;
import nocturne.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// Everything that decides how training goes on after a step, one file a step below `.state/`.
///
/// The file holds the adapter as trained, both moments of the optimiser, the moving average where there is one, and how
/// the numbers have kept so far. There is no state of a random generator and no position in the data: both are
/// functions of the seed and the step (see [nocturne.tensor.Philox] and [nocturne.dataset.DataOrder]).
final class Snapshots {
    private static final int KEPT = 2;
    /// Files that may be there between two writings: those, and the newest that has led to sound numbers.
    static final int MOST = KEPT + 1;
    private static final String PREFIX = "step-";
    private static final String SUFFIX = ".safetensors";

    private final Path folder;
    private final String fingerprint;
    private final int threads;
    private final SequencedMap<String, Tensor> parts;
    private final Backend backend;

    /// What training goes on from.
    ///
    /// @param step     updates made or left out; 0 where there is no state to go on from
    /// @param threads  that computed it: with another number the last bits of what follows may differ
    /// @param device   that computed it; empty where that is not known
    /// @param health   of the numbers
    /// @param elapsed  how long the run had been at it
    /// @param rejected newer files that could not be used
    record Restored(int step, int threads, String device, Health health, Duration elapsed, List<Rejected> rejected) {
        /// No state to go on from.
        static final Restored NOTHING = new Restored(0, 0, "", Health.UNTRIED, Duration.ZERO, List.of());

        boolean isThere() {
            return step > 0;
        }

        /// Whether a card computed it that is not this one. On the processor it is the threads that count.
        boolean isOfAnother(Backend backend) {
            return isThere() && backend.memory().isPresent() && !device.isEmpty() && !device.equals(backend.name());
        }
    }

    /// A file that is damaged, or not there although it should be.
    ///
    /// @param file   below the run's folder, with `/`
    /// @param reason for people
    record Rejected(int step, String file, String reason) {}

    /// @param threads     that compute now
    /// @param parts       the tensors that are written and restored, in float32 or bytes
    /// @param fingerprint of the run; files of another are passed over
    Snapshots(Path folder, String fingerprint, int threads, SequencedMap<String, Tensor> parts, Backend backend) {
        this.folder = folder;
        this.fingerprint = fingerprint;
        this.threads = threads;
        this.parts = new LinkedHashMap<>(parts);
        this.backend = backend;
    }

    /// Whether a run has left anything to go on from, sound or not.
    static boolean areIn(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> String.valueOf(file.getFileName()))
                    .anyMatch(name -> name.startsWith(PREFIX) && name.endsWith(SUFFIX));
        } catch (IOException e) {
            throw new SickMachine("STATE_UNREADABLE", "reading " + folder + ": " + e, e);
        }
    }

    /// Writes the state after a step, whole or not at all, and then removes the files that are no longer needed: all
    /// but the newest two, and the newest that has led to sound numbers.
    ///
    /// @throws SickMachine `DISK_FULL`; the earlier files are then still there
    /// @throws UserMistake `VALUES_OUT_OF_RANGE` if a number is not finite
    void write(int step, Health health, Duration elapsed) {
        try (Arena copies = Arena.ofConfined()) {
            List<TensorData> tensors = new ArrayList<>();
            parts.forEach((name, tensor) ->
                    tensors.add(data(name, tensor, backend.inHostMemory(tensor, copies)).mustBeFinite()));
            write(step, health, elapsed, tensors);
        }
        prune(health);
    }

    private static TensorData data(String name, Tensor tensor, MemorySegment bytes) {
        List<Long> shape = List.of(tensor.elements());
        return tensor.type() == DType.F32
                ? TensorData.floats(name, DType.F32, shape, bytes)
                : TensorData.bytes(name, tensor.type(), shape, bytes);
    }

    private void write(int step, Health health, Duration elapsed, List<TensorData> tensors) {
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put("fingerprint", fingerprint);
        metadata.put("step", Integer.toString(step));
        metadata.put("threads", Integer.toString(threads));
        metadata.put("device", backend.name());
        metadata.put("sound", Integer.toString(health.sound()));
        metadata.put("skipped", Integer.toString(health.skipped()));
        metadata.put("went_back", Boolean.toString(health.wentBack()));
        metadata.put("seconds", Long.toString(elapsed.toSeconds()));
        metadata.put("sha256", SafetensorsWriter.dataHash(tensors));
        SafetensorsWriter.write(file(step), metadata, tensors);
    }

    private void prune(Health health) {
        List<Path> all = newestFirst();
        boolean proven = false;
        for (int i = 0; i < all.size(); i++) {
            boolean isProof = step(all.get(i)) < health.sound();
            if (i >= KEPT && (proven || !isProof)) delete(all.get(i));
            proven |= isProof;
        }
    }

    /// Brings the tensors to the newest sound state. A damaged file is passed over: the one before it leads to the same
    /// result, only later.
    ///
    /// @param expected the step that was saved last, as far as that is known from elsewhere; 0 if it is not
    /// @return step 0 where there is no state to go on from, and then nothing was changed
    Restored restore(int expected) {
        List<Rejected> rejected = new ArrayList<>();
        if (expected > 0 && Files.notExists(file(expected))) {
            rejected.add(new Rejected(expected, name(file(expected)), "is missing"));
        }
        return newestBefore(Integer.MAX_VALUE, rejected);
    }

    /// Brings the tensors to the newest sound state of an earlier step than this.
    Restored restoreBefore(int step) {
        return newestBefore(step, new ArrayList<>());
    }

    private Restored newestBefore(int step, List<Rejected> rejected) {
        for (Path file : newestFirst()) {
            if (step(file) >= step) continue;
            try (Safetensors source = Safetensors.open(file)) {
                String fault = fault(source);
                if (fault == null) return restored(source, rejected);
                rejected.add(new Rejected(step(file), name(file), fault));
            } catch (UserMistake | SickMachine | NumberFormatException unreadable) {
                rejected.add(new Rejected(step(file), name(file), "cannot be read: " + unreadable.getMessage()));
            }
        }
        return new Restored(0, threads, "", Health.UNTRIED, Duration.ZERO, List.copyOf(rejected));
    }

    private Restored restored(Safetensors source, List<Rejected> rejected) {
        Map<String, String> metadata = source.metadata();
        int step = Integer.parseInt(metadata.getOrDefault("step", ""));
        int computedBy = Integer.parseInt(metadata.getOrDefault("threads", ""));
        // Not in the files of the first version, whose runs ended at the first step that was not finite.
        Health health = new Health(Integer.parseInt(metadata.getOrDefault("sound", Integer.toString(step))),
                Integer.parseInt(metadata.getOrDefault("skipped", "0")),
                Boolean.parseBoolean(metadata.getOrDefault("went_back", "false")));
        Duration elapsed = Duration.ofSeconds(Long.parseLong(metadata.getOrDefault("seconds", "0")));
        parts.forEach((name, tensor) -> {
            if (tensor.type() == DType.F32) backend.write(to -> source.widen(name, to, 0), tensor);
            else backend.fromHostMemory(source.bytes(name), tensor);
        });
        return new Restored(step, computedBy, metadata.getOrDefault("device", ""), health, elapsed,
                List.copyOf(rejected));
    }

    /// What is wrong with a file whose structure is sound; null if nothing is.
    private @Nullable String fault(Safetensors source) {
        if (!fingerprint.equals(source.metadata().get("fingerprint"))) return "belongs to another run";
        List<TensorData> stored = new ArrayList<>();
        for (Map.Entry<String, Tensor> part : parts.entrySet()) {
            String name = part.getKey();
            List<Long> shape = List.of(part.getValue().elements());
            boolean fits = source.has(name) && source.entry(name).shape().equals(shape)
                    && source.entry(name).dtype() == part.getValue().type();
            if (!fits) return "lacks the tensor " + name;
            stored.add(data(name, part.getValue(), source.bytes(name)));
        }
        boolean same = SafetensorsWriter.dataHash(stored).equals(source.metadata().get("sha256"));
        return same ? null : "its numbers do not have the hash they were written with";
    }

    /// Removes every state after a step: the run has gone back to it.
    void removeAfter(int step) {
        for (Path file : newestFirst()) if (step(file) > step) delete(file);
    }

    /// Removes a file that could not be used, so that it does not count as one that is kept.
    void discard(Rejected rejected) {
        delete(folder.resolve(rejected.file().substring(rejected.file().lastIndexOf('/') + 1)));
    }

    private Path file(int step) {
        return folder.resolve(PREFIX + "%09d".formatted(step) + SUFFIX);
    }

    private String name(Path file) {
        return folder.getFileName() + "/" + file.getFileName();
    }

    /// The step in a file's name; what has no such name is passed by.
    private static int step(Path file) {
        String name = file.getFileName().toString();
        return Integer.parseInt(name.substring(PREFIX.length(), name.length() - SUFFIX.length()));
    }

    private List<Path> newestFirst() {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().matches(PREFIX + "\\d{9}" + SUFFIX))
                    .sorted(Comparator.comparingInt(Snapshots::step).reversed())
                    .toList();
        } catch (IOException e) {
            throw new SickMachine("STATE_UNREADABLE", "listing " + folder + ": " + e, e);
        }
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw AtomicFiles.explained(e, file);
        }
    }
}
