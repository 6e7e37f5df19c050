package nocturne.desk.doctor;

import com.sun.management.OperatingSystemMXBean;
import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import nocturne.desk.Quantity;

/// Processors, memory, files, clock.
final class MachineCheck implements Check {
    private static final long ENOUGH_FOR_THE_SMALL_MODEL = 2L << 30;
    private static final long ENOUGH_FOR_A_LARGE_MODEL = 60L << 30;
    private static final long FEW_FILES = 4096;
    /// This program is not older.
    private static final Instant BEGINNING = Instant.parse("2026-01-01T00:00:00Z");

    @Override
    public List<Finding> look() throws InterruptedException {
        List<Finding> findings = new ArrayList<>();
        // In a container these are the container's.
        OperatingSystemMXBean system =
                (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        long memory = system.getTotalMemorySize();
        String words = "%d processors, %s of memory, %s free".formatted(Runtime.getRuntime().availableProcessors(),
                Quantity.bytes(memory), Quantity.bytes(system.getFreeMemorySize()));
        if (memory < ENOUGH_FOR_THE_SMALL_MODEL) {
            findings.add(Finding.problem("machine", words, "Even the small pipeline wants 2 GB."));
        } else if (memory < ENOUGH_FOR_A_LARGE_MODEL) {
            findings.add(Finding.note("machine", words,
                    "Enough for small models; Qwen-Image itself wants 64 GB or more beside the card."));
        } else {
            findings.add(Finding.ok("machine", words));
        }
        if (system instanceof UnixOperatingSystemMXBean unix && unix.getMaxFileDescriptorCount() < FEW_FILES) {
            findings.add(Finding.note("machine", "at most %d open files".formatted(unix.getMaxFileDescriptorCount()),
                    "Raise it: ulimit -n 65536, or LimitNOFILE= in the unit."));
        }
        findings.add(clock());
        return findings;
    }

    private static Finding clock() throws InterruptedException {
        Instant now = Instant.now();
        String words = now.truncatedTo(ChronoUnit.SECONDS).toString();
        if (now.isBefore(BEGINNING)) {
            return Finding.note("clock", words + " lies in the past",
                    "Set it: times in events would be wrong, and https refuses certificates from the future.");
        }
        Optional<Tool.Answer> synchronised =
                Tool.ask(List.of("timedatectl", "show", "--property=NTPSynchronized", "--value"));
        boolean drifts = synchronised.filter(answer -> answer.code() == 0 && answer.text().strip().equals("no"))
                .isPresent();
        return drifts
                ? Finding.note("clock", words + ", kept by nobody",
                        "Switch time synchronisation on (timedatectl set-ntp true). No duration is measured by it, but"
                                + " people read it.")
                : Finding.ok("clock", words);
    }
}
