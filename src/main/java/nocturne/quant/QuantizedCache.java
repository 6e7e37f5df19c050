package nocturne.quant;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SegmentAllocator;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.SequencedMap;
import java.util.SortedMap;
import java.util.function.Consumer;
import java.util.function.Function;
import nocturne.io.AtomicFiles;
import nocturne.io.ContentHash;
import nocturne.io.FreeSpace;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;

/// A model's quantised weights on disk, so that it is quantised once: a folder of [QuantizedFile]s named by what
/// decides their content. A block of a model is a good part for one file; the whole of it need then never lie in
/// memory.
///
/// Files appear whole or not at all, so several processes may share a folder. One that is damaged is told, removed and
/// made again; its numbers are never used.
public final class QuantizedCache {
    /// Changes when the arithmetic or the layout of the files does.
    private static final int VERSION = 2;
    private static final double GIB = 1L << 30;
    private static final String SUFFIX = ".safetensors";

    private final Path folder;
    private final String model;
    private final Consumer<String> notices;

    /// Opens the folder, making it if it is not there, and sweeps out what killed writers have left.
    ///
    /// @param folder  for the weights of any number of models
    /// @param model   identifies the content of the model's files
    /// @param notices is told, one sentence each, what a person should know
    /// @throws SickMachine `DISK_FULL` or `WRITE_FAILED` if it cannot be made or listed
    /// @throws UserMistake `NOT_WRITABLE` if this user may not
    public QuantizedCache(Path folder, String model, Consumer<String> notices) {
        this.folder = folder;
        this.model = model;
        this.notices = notices;
        try {
            AtomicFiles.createFolders(folder);
        } catch (IOException e) {
            throw AtomicFiles.explained(e, folder);
        }
        AtomicFiles.removeLeftovers(folder);
    }

    /// The key of a part of the model.
    ///
    /// @param types the part's layers that are kept in a format, all of them: what is in the file
    String key(SortedMap<String, WeightType> types) {
        ContentHash hash = new ContentHash().add(VERSION).add(model);
        types.forEach((module, type) -> hash.add(module).add(type.spelling()));
        return hash.hex();
    }

    /// Bytes that may still be written where the files lie, if they are known.
    OptionalLong freeBytes() {
        return FreeSpace.of(folder);
    }

    /// Says that what needs so many bytes is not kept, and why.
    void noteLackOfRoom(long needed, long free) {
        notices.accept(String.format(Locale.ROOT, "the quantised weights are not kept for the next start: they need"
                + " %.2f GiB in %s, where %.2f GiB are free, of which 1 GiB is left alone; they are quantised again"
                + " each time", needed / GIB, folder, free / GIB));
    }

    /// Whether a file lies under this key; only reading it tells whether it is sound.
    boolean contains(String key) {
        return Files.exists(folder.resolve(key + SUFFIX));
    }

    /// The matrices under a key: mapped from disk if they are there and sound, else quantised, written and mapped.
    ///
    /// @param quantize makes the matrices in memory that is given back as soon as they are written; several threads may
    ///     use the allocator at once
    /// @throws SickMachine `DISK_FULL` or `WRITE_FAILED`
    QuantizedFile get(String key, Function<SegmentAllocator, SequencedMap<String, QuantizedMatrix>> quantize) {
        Path path = folder.resolve(key + SUFFIX);
        if (Files.exists(path)) {
            try {
                return QuantizedFile.open(path, key);
            } catch (QuantizedFile.Damaged damaged) {
                notices.accept("the quantised weights in %s are damaged (%s); they are made again".formatted(
                        path, damaged.getMessage()));
                remove(path);
            }
        }
        try (Arena memory = Arena.ofShared()) {
            QuantizedFile.write(path, key, quantize.apply(memory));
        }
        try {
            return QuantizedFile.open(path, key);
        } catch (QuantizedFile.Damaged damaged) {
            throw new SickMachine("WRITE_FAILED", "what was written to %s comes back changed: %s".formatted(
                    path, damaged.getMessage()), damaged);
        }
    }

    private static void remove(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            throw AtomicFiles.explained(e, path);
        }
    }
}
