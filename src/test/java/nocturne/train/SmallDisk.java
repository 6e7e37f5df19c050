package nocturne.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/// A file system of a chosen size, in memory; only root on Linux may mount one, elsewhere the test is skipped.
public record SmallDisk(Path root) implements AutoCloseable {
    public static SmallDisk mounted(Path at, String options) throws IOException {
        Files.createDirectories(at);
        Assumptions.assumeTrue(succeeds("mount", "-t", "tmpfs", "-o", options, "nocturne-test", at.toString()),
                "needs the right to mount a file system (root, and a container that allows it)");
        return new SmallDisk(at);
    }

    public void remount(String options) throws IOException {
        if (!succeeds("mount", "-o", "remount," + options, root.toString())) {
            throw new IOException("remounting " + root + " with " + options);
        }
    }

    private static boolean succeeds(String... command) throws IOException {
        try {
            Process process = new ProcessBuilder(new ArrayList<>(List.of(command))).redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
            return process.waitFor(20, TimeUnit.SECONDS) && process.exitValue() == 0;
        } catch (IOException noSuchCommand) {
            return false;
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        if (!succeeds("umount", root.toString())) throw new IOException("unmounting " + root);
    }
}
