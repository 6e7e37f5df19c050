package nocturne.job;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import nocturne.job.Job.Child;

/// Tells a process from another one that got the same number later: by when it started, and on which start of the
/// machine.
///
/// On Linux the start is counted from the machine's own, so that setting the clock changes nothing. Elsewhere it is
/// what Java says.
final class ProcessIdentity {
    private static final Path BOOT = Path.of("/proc/sys/kernel/random/boot_id");
    /// Of those behind the command in `/proc/<pid>/stat`, which begin with the third; see proc_pid_stat(5).
    private static final int START_FIELD = 22 - 3;

    private ProcessIdentity() {}

    static Child of(ProcessHandle process) {
        return new Child(process.pid(), started(process), boot());
    }

    /// Whether this very process is still there. One that has ended and waits for its parent to notice is not.
    static boolean isAlive(Child child) {
        return ProcessHandle.of(child.pid()).filter(ProcessHandle::isAlive)
                .filter(process -> of(process).equals(child) && !stat(child.pid()).startsWith("Z")).isPresent();
    }

    private static long started(ProcessHandle process) {
        String[] fields = stat(process.pid()).split(" ");
        if (fields.length > START_FIELD) return Long.parseLong(fields[START_FIELD]);
        return process.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
    }

    /// The fields behind the command in `/proc/<pid>/stat`; empty where there is none.
    private static String stat(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"), StandardCharsets.ISO_8859_1);
            // The command may hold blanks and brackets of its own; it ends with the last one.
            return stat.substring(Math.min(stat.length(), stat.lastIndexOf(')') + 2));
        } catch (IOException notLinux) {
            return "";
        }
    }

    private static String boot() {
        try {
            return Files.readString(BOOT).strip();
        } catch (IOException notLinux) {
            return "";
        }
    }
}
