package nocturne.job;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// A temporary folder in memory where there is such a place, so that a test with thousands of forced writes takes
/// seconds. What reaches a real disk is other tests' matter.
public final class QuickFolder {
    private static final Path MEMORY = Path.of("/dev/shm");

    private QuickFolder() {}

    public static Path create() throws IOException {
        boolean there = Files.isDirectory(MEMORY) && Files.isWritable(MEMORY);
        return there ? Files.createTempDirectory(MEMORY, "nocturne-") : Files.createTempDirectory("nocturne-");
    }
}
