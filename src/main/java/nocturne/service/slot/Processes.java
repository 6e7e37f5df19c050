package nocturne.service.slot;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import nocturne.job.Job;

/// Ends processes and tells them apart, without a process of its own.
///
/// An interface, so that a test can have one that does not die.
interface Processes {
    /// The operating system's.
    Processes REAL = new Processes() {};

    /// Asks a process to save its state and leave.
    default void terminate(ProcessHandle process) {
        process.destroy();
    }

    /// Ends a process and everything it started, whether or not it wants to. Returns at once.
    default void kill(ProcessHandle process) {
        List<ProcessHandle> all = new ArrayList<>(process.descendants().toList());
        all.addAll(group(process.pid()));
        process.destroyForcibly();
        all.forEach(ProcessHandle::destroyForcibly);
    }

    /// The others in the group of a process that was started as its leader; empty where the system does not say.
    static List<ProcessHandle> group(long leader) {
        try (Stream<Path> entries = Files.list(Path.of("/proc"))) {
            return entries.map(entry -> String.valueOf(entry.getFileName())).filter(name -> name.matches("\\d{1,9}"))
                    .filter(name -> groupOf(name) == leader && Long.parseLong(name) != leader)
                    .map(name -> ProcessHandle.of(Long.parseLong(name))).flatMap(Optional::stream).toList();
        } catch (IOException noProc) {
            return List.of();
        }
    }

    private static long groupOf(String pid) {
        try {
            String stat = Files.readString(Path.of("/proc", pid, "stat"), StandardCharsets.ISO_8859_1);
            // `pid (name) state parent group ...`, and the name may hold anything.
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            return Long.parseLong(fields[2]);
        } catch (IOException | RuntimeException gone) {
            return -1;
        }
    }

    /// What tells this process from any other that was or will be.
    static Job.Child identity(ProcessHandle process) {
        long started = process.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
        return new Job.Child(process.pid(), started, boot());
    }

    /// The process that was written down, if it still lives.
    ///
    /// @param mark a text in its command line. Start times are computed from the wall clock and move with it, so one
    ///             that is near is enough where the mark cannot be read, and the mark is enough where it can.
    static Optional<ProcessHandle> find(Job.Child child, String mark) {
        if (!child.boot().equals(boot())) return Optional.empty();
        return ProcessHandle.of(child.pid()).filter(ProcessHandle::isAlive).filter(process -> {
            long started = process.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
            return Math.abs(started - child.started()) < 2_000 || commandLine(child.pid()).contains(mark);
        });
    }

    private static String commandLine(long pid) {
        try {
            return Files.readString(Path.of("/proc", Long.toString(pid), "cmdline"), StandardCharsets.ISO_8859_1);
        } catch (IOException unknown) {
            return "";
        }
    }

    /// Which start of the machine this is; empty where the system does not say.
    static String boot() {
        try {
            return Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
        } catch (IOException elsewhere) {
            return "";
        }
    }
}
