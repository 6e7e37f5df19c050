package nocturne.service.inbox;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// Renames on a folder that may be a network share, where a rename can report a failure although it happened (its
/// answer was lost and the question was asked again), where what happened is seen a little later, and where a handle
/// goes stale.
class Names {
    private static final int TRIES = 5;
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    /// Gives a file or folder another name in the same file system.
    ///
    /// @return false if there was nothing under the old name: somebody else was faster
    /// @throws IOException if it is still there and cannot be renamed
    final boolean move(Path from, Path to) throws IOException {
        for (int attempt = 1; ; attempt++) {
            try {
                rename(from, to);
                return true;
            } catch (IOException failure) {
                if (exists(to)) {
                    if (!exists(from)) return true;
                } else if (failure instanceof NoSuchFileException && (attempt > 1 || !exists(from))) {
                    // Twice, because what happened may be seen later than what is reported.
                    LockSupport.parkNanos(PAUSE_NANOS);
                    return exists(to) && !exists(from);
                }
                if (attempt == TRIES) throw failure;
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    /// Whether there is something under a name, a link that leads nowhere included.
    final boolean exists(Path path) {
        for (int attempt = 1; ; attempt++) {
            try {
                look(path);
                return true;
            } catch (NoSuchFileException absent) {
                return false;
            } catch (IOException stale) {
                if (attempt == TRIES) return false;
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
    }

    /// What the file system does; tests let it do it badly.
    void rename(Path from, Path to) throws IOException {
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    }

    void look(Path path) throws IOException {
        Files.readAttributes(path, "size", LinkOption.NOFOLLOW_LINKS);
    }
}
