package nocturne.dataset;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.Stream;
import nocturne.io.AtomicFiles;
import nocturne.io.ContentHash;
import nocturne.io.DType;
import nocturne.io.Safetensors;
import nocturne.io.SafetensorsWriter;
import nocturne.io.TensorData;
import nocturne.io.TensorEntry;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;

/// Tensors on disk, each entry one safetensors file named by what decides its content: `<kind>/<hash>.safetensors`.
///
/// Files appear whole or not at all, and carry the hash of their data. A file that is torn, altered or not ours is
/// noticed when it is read, computed anew and replaced; its values are never used. The folder belongs to one process
/// at a time: opening it sweeps away what a killed one left half-written. Safe for use by several threads.
public final class CacheFolder {
    private static final String KEY = "nocturne.key";
    private static final String SHA256 = "nocturne.sha256";

    private final Path folder;
    private final AtomicInteger hits = new AtomicInteger();
    private final AtomicInteger misses = new AtomicInteger();
    private final AtomicInteger rebuilt = new AtomicInteger();

    /// @param hits    entries found and sound
    /// @param misses  entries that were not there and have been computed
    /// @param rebuilt entries that were there but damaged, and have been computed again
    public record Statistics(int hits, int misses, int rebuilt) {}

    /// Opens the folder, making it if it is not there.
    ///
    /// @throws SickMachine `DISK_FULL` or `WRITE_FAILED` if it cannot be made or listed
    /// @throws UserMistake `NOT_WRITABLE` if this user may not
    public CacheFolder(Path folder) {
        this.folder = folder;
        try {
            Files.createDirectories(folder);
            try (Stream<Path> kinds = Files.list(folder)) {
                for (Path kind : kinds.filter(Files::isDirectory).toList()) AtomicFiles.removeLeftovers(kind);
            }
        } catch (IOException e) {
            throw AtomicFiles.explained(e, folder);
        }
    }

    /// The tensors under this key: from disk if they are there and sound, else computed and written.
    ///
    /// @param compute at least one tensor by name; called at most once, and not at all on a hit
    /// @throws SickMachine `DISK_FULL` or `WRITE_FAILED`
    public Map<String, CachedTensor> get(CacheKey key, Supplier<Map<String, CachedTensor>> compute) {
        Path file = file(key);
        boolean present = Files.exists(file);
        Optional<Map<String, CachedTensor>> found = present ? read(key, file) : Optional.empty();
        if (found.isPresent()) {
            hits.incrementAndGet();
            return found.get();
        }
        (present ? rebuilt : misses).incrementAndGet();
        Map<String, CachedTensor> tensors = compute.get();
        if (tensors.isEmpty()) throw new IllegalArgumentException("nothing computed for " + key.kind());
        write(key, file, tensors);
        return tensors;
    }

    /// Whether a file lies under this key; only reading it tells whether it is sound.
    public boolean contains(CacheKey key) {
        return Files.exists(file(key));
    }

    public Statistics statistics() {
        return new Statistics(hits.get(), misses.get(), rebuilt.get());
    }

    private Path file(CacheKey key) {
        return folder.resolve(key.kind()).resolve(key.hash() + ".safetensors");
    }

    private static Optional<Map<String, CachedTensor>> read(CacheKey key, Path file) {
        try (Safetensors source = Safetensors.open(file)) {
            if (!key.hash().equals(source.metadata().get(KEY))) return Optional.empty();
            Map<String, CachedTensor> tensors = new LinkedHashMap<>();
            for (TensorEntry entry : source.tensors().values()) {
                if (entry.dtype() != DType.F32) return Optional.empty();
                tensors.put(entry.name(), new CachedTensor(entry.shape(), source.floats(entry.name())));
            }
            boolean sound = !tensors.isEmpty() && hash(tensors).equals(source.metadata().get(SHA256));
            return sound ? Optional.of(tensors) : Optional.empty();
        } catch (UserMistake | SickMachine e) {
            // Whatever keeps the file from being read, computing again mends it; if the disk is ill, writing will tell.
            return Optional.empty();
        }
    }

    private static void write(CacheKey key, Path file, Map<String, CachedTensor> tensors) {
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put(KEY, key.hash());
        metadata.put(SHA256, hash(tensors));
        List<TensorData> data = new ArrayList<>();
        tensors.forEach((name, tensor) ->
                data.add(TensorData.floats(name, DType.F32, tensor.shape(), tensor.values())));
        SafetensorsWriter.write(file, metadata, data);
    }

    /// Over names, shapes and values, by name.
    private static String hash(Map<String, CachedTensor> tensors) {
        ContentHash hash = new ContentHash();
        new TreeMap<>(tensors).forEach((name, tensor) -> {
            hash.add(name).add(tensor.shape().toString());
            ByteBuffer bytes = ByteBuffer.allocate(4 * tensor.values().length).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(tensor.values());
            hash.add(bytes.array());
        });
        return hash.hex();
    }
}
