package nocturne.cuda;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/// Other programs that tests run, compilers above all, and the files they make.
final class Programs {
    /// Fills a file that is not there yet.
    interface Making {
        void into(Path unfinished) throws IOException;
    }

    private Programs() {}

    /// Whether a program can be run by its name.
    static boolean find(String name) {
        String path = System.getenv().getOrDefault("PATH", "");
        return Stream.of(path.split(File.pathSeparator)).anyMatch(dir -> Files.isExecutable(Path.of(dir, name)));
    }

    /// @return what the program said, on both of its outputs
    /// @throws IllegalStateException with that, if it ended otherwise than with 0
    static String run(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (process.waitFor() != 0) throw new IllegalStateException(String.join(" ", command) + "\n" + said);
        } catch (InterruptedException interrupted) {
            process.destroyForcibly();
            throw new IOException("interrupted while waiting for " + command.getFirst(), interrupted);
        }
        return said;
    }

    /// Makes a file unless it is there. It gets its name when it is complete, so that several processes may make it at
    /// once: at worst they do the same work.
    static void make(Path target, Making making) throws IOException {
        if (Files.exists(target)) return;
        Files.createDirectories(target.getParent());
        Path unfinished = Files.createTempFile(target.getParent(), "unfinished", ".tmp");
        try {
            making.into(unfinished);
            Files.move(unfinished, target, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(unfinished);
        }
    }

    /// A name for a content.
    static String hash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, 12);
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError(impossible);
        }
    }
}
