package nocturne.cuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import nocturne.io.AtomicFiles;
import nocturne.io.ContentHash;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;

/// Images that were compiled on this machine before, one file each: the SHA-256 of the image, then the image.
///
/// It only saves time. What is damaged is made again, and where nothing can be kept nothing is.
final class KernelCache {
    private static final int HASH_BYTES = 32;

    private final Path folder;

    KernelCache(Path folder) {
        this.folder = folder;
    }

    /// The usual place: `$XDG_CACHE_HOME/nocturne/kernels`, and `~/.cache` where that is not set.
    static KernelCache of(Map<String, String> environment) {
        // By the specification a path that is not absolute counts as not set.
        Path cache = Optional.ofNullable(environment.get("XDG_CACHE_HOME")).map(Path::of).filter(Path::isAbsolute)
                .orElseGet(() -> Path.of(environment.getOrDefault("HOME", System.getProperty("user.home")), ".cache"));
        return new KernelCache(cache.resolve("nocturne/kernels"));
    }

    /// An image, taken from the disk or made and put there. Several processes may do so at once: a file appears whole,
    /// and all of them make the same.
    ///
    /// @param key  of everything that decides the image, in characters that a file name may have
    /// @param make compiles it
    byte[] get(String key, Supplier<byte[]> make) {
        Path file = folder.resolve(key + ".cubin");
        Optional<byte[]> kept = read(file);
        if (kept.isPresent()) return kept.get();
        byte[] image = make.get();
        keep(file, image);
        return image;
    }

    private static Optional<byte[]> read(Path file) {
        try {
            if (!Files.exists(file)) return Optional.empty();
            byte[] content = Files.readAllBytes(file);
            if (content.length > HASH_BYTES) {
                byte[] image = Arrays.copyOfRange(content, HASH_BYTES, content.length);
                if (Arrays.equals(hash(image), 0, HASH_BYTES, content, 0, HASH_BYTES)) return Optional.of(image);
            }
            Files.delete(file);
        } catch (IOException unreadable) {
            // Then it is as if it were not there.
        }
        return Optional.empty();
    }

    private static void keep(Path file, byte[] image) {
        try {
            AtomicFiles.write(file, HASH_BYTES + image.length, out -> {
                out.write(hash(image));
                out.write(image);
            });
        } catch (SickMachine | UserMistake cannot) {
            // No room or no right to write: the next process compiles again, which takes seconds.
        }
    }

    private static byte[] hash(byte[] image) {
        return HexFormat.of().parseHex(ContentHash.ofBytes(image));
    }
}
