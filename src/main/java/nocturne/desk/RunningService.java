package nocturne.desk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import nocturne.job.WorkFolder;

/// Whether a service is at work in a folder, found out without touching its lock: taking it for a moment could make a
/// service that starts in that moment give up.
///
/// Not to be asked by the process that holds the lock: reading the file and closing it would let go of the lock, as
/// POSIX has it.
///
/// @param isRunning as far as can be seen from here
/// @param words     for people, such as `a service is running (process 4711 on host-3)`
public record RunningService(boolean isRunning, String words) {
    /// `status.json` is written every few seconds; older than this, its writer is gone or stuck.
    private static final Duration FRESH = Duration.ofSeconds(30);
    private static final Pattern HOLDER = Pattern.compile("process (\\d{1,18}) on (.*)");
    private static final Path KERNEL_LOCKS = Path.of("/proc/locks");
    private static final Path KERNEL_HOST_NAME = Path.of("/proc/sys/kernel/hostname");

    /// @param clock to tell how old `status.json` is
    public static RunningService in(WorkFolder work, InstantSource clock) {
        String holder = holder(work.instanceLock());
        if (isLocked(work.instanceLock())) return running(holder);
        // A service in a container has its own list of locks and processes, but writes the same file.
        if (isFresh(work.status(), clock.instant()) && !isGone(holder)) return running(holder);
        return new RunningService(false, "no service is running here");
    }

    private static RunningService running(String holder) {
        return new RunningService(true, "a service is running" + (holder.isEmpty() ? "" : " (" + holder + ")"));
    }

    private static String holder(Path lock) {
        try {
            return Printable.of(Files.readString(lock).strip(), 120);
        } catch (IOException none) {
            return "";
        }
    }

    /// Linux lists every file lock with the file's number: `1: POSIX  ADVISORY  WRITE 4711 fd:00:131074 0 EOF`.
    private static boolean isLocked(Path lock) {
        try {
            Object number = Files.getAttribute(lock, "unix:ino");
            List<String> locks = Files.readAllLines(KERNEL_LOCKS);
            return locks.stream().anyMatch(line -> line.contains(":" + number + " ") && !line.contains("->"));
        } catch (IOException | UnsupportedOperationException | IllegalArgumentException unknown) {
            return false;
        }
    }

    private static boolean isFresh(Path status, Instant now) {
        try {
            return Duration.between(Files.getLastModifiedTime(status).toInstant(), now).compareTo(FRESH) < 0;
        } catch (IOException none) {
            return false;
        }
    }

    /// Whether the process in the lock file, if it was one of this machine, is no more. Only a service that ended
    /// within the last seconds leaves a fresh status behind.
    private static boolean isGone(String holder) {
        Matcher matcher = HOLDER.matcher(holder);
        if (!matcher.matches()) return false;
        try {
            boolean here = Files.readString(KERNEL_HOST_NAME).strip().equalsIgnoreCase(matcher.group(2));
            return here && ProcessHandle.of(Long.parseLong(matcher.group(1))).isEmpty();
        } catch (IOException unknown) {
            return false;
        }
    }
}
