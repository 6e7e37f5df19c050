package nocturne.service.slot;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// What a trainer says on its standard output and error, `trainer.log`: as much as fits into a bound, the newest last.
///
/// Half of the bound is the file itself; when it is full it becomes `trainer.log.old`, in place of the one before. The
/// pipe is always emptied, even when the disk is full, because a trainer that cannot write would stand still.
final class BoundedLog {
    private static final int TAIL = 8192;

    private final Path file;
    private final long most;
    private final byte[] tail = new byte[TAIL];
    private long said;
    private long written;
    private @Nullable OutputStream out;

    /// @param most bytes of both files together
    BoundedLog(Path file, long most) {
        this.file = file;
        this.most = Math.max(2, most);
    }

    /// Writes a line of ours between those of two attempts.
    synchronized void title(String line) {
        try {
            written = Files.exists(file) ? Files.size(file) : 0;
        } catch (IOException unknown) {
            written = most;                                     // begins a new file
        }
        byte[] bytes = (line + "\n").getBytes(StandardCharsets.UTF_8);
        write(bytes, bytes.length);
    }

    /// Takes everything in until the pipe ends.
    void drain(InputStream pipe) {
        byte[] block = new byte[TAIL];
        try (pipe) {
            for (int count = pipe.read(block); count >= 0; count = pipe.read(block)) take(block, count);
        } catch (IOException closed) {
            // The trainer is gone, or we do not want to hear any more of it.
        } finally {
            close();
        }
    }

    private synchronized void take(byte[] block, int count) {
        for (int i = 0; i < count; i++) tail[(int) ((said + i) % TAIL)] = block[i];
        said += count;
        write(block, count);
    }

    private void write(byte[] block, int count) {
        try {
            if (written + count > most / 2) {
                close();
                if (Files.exists(file)) {
                    Files.move(file, file.resolveSibling(file.getFileName() + ".old"),
                            StandardCopyOption.REPLACE_EXISTING);
                }
                written = 0;
            }
            OutputStream open = out;
            if (open == null) {
                open = Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
                out = open;
            }
            open.write(block, 0, count);
            written += count;
        } catch (IOException full) {
            // What is said is still in the tail, and the trainer goes on.
            close();
        }
    }

    private synchronized void close() {
        try (OutputStream open = out) {
            out = null;
        } catch (IOException lost) {
            // Only words.
        }
    }

    /// The last lines, fit to be shown: without control characters, without what looks like a secret.
    ///
    /// @param lines at most so many
    synchronized String lastWords(int lines) {
        int count = (int) Math.min(said, TAIL);
        byte[] newest = new byte[count];
        for (int i = 0; i < count; i++) newest[i] = tail[(int) ((said - count + i) % TAIL)];
        String[] words = new String(newest, StandardCharsets.UTF_8).strip().split("\\R");
        return Words.shown(String.join("\n", Arrays.copyOfRange(words, Math.max(0, words.length - lines),
                words.length)));
    }
}
