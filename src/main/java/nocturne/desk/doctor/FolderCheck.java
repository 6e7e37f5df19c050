package nocturne.desk.doctor;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import nocturne.desk.Quantity;
import nocturne.service.ServiceConfig;

/// The three folders: that they can be written, what they lie on, how much room there is and how fast it is.
final class FolderCheck implements Check {
    private static final long TOO_LITTLE = 1_000_000_000;
    private static final long LITTLE = 20_000_000_000L;
    private static final int TRIALS = 15;
    private static final double SLOW_MILLIS = 50;
    private static final Set<String> REMOTE = Set.of("nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p", "fuse.s3fs");

    private final ServiceConfig config;

    FolderCheck(ServiceConfig config) {
        this.config = config;
    }

    @Override
    public List<Finding> look() throws IOException {
        Map<String, Path> folders = new TreeMap<>(Map.of("inbox", config.inbox(), "outbox", config.outbox(), "work",
                config.work()));
        List<Finding> findings = new ArrayList<>();
        for (Map.Entry<String, Path> folder : folders.entrySet()) {
            findings.add(folder(folder.getKey(), folder.getValue()));
        }
        Path work = existing(config.work());
        if (!Files.isWritable(work)) return findings;
        FileStore store = Files.getFileStore(work);
        findings.add(disk(store, findings));
        if (REMOTE.contains(store.type())) {
            findings.add(Finding.problem("work", "lies on a share (" + store.type() + ")",
                    "Move it to a disk of this machine: locks and forced writes cannot be relied on over a network."));
        }
        if (!store.equals(Files.getFileStore(existing(config.outbox())))) {
            findings.add(Finding.note("disk", "work and outbox lie on different file systems",
                    "It works, but every result is copied and kept twice until its job is cleaned up."));
        }
        return findings;
    }

    private static Finding folder(String name, Path folder) {
        Path existing = existing(folder);
        if (!Files.isDirectory(existing)) {
            return Finding.problem(name, existing + " is not a folder", "Move it away, or name another folder.");
        }
        if (!Files.isWritable(existing) || !Files.isExecutable(existing) || !Files.isReadable(existing)) {
            return Finding.problem(name, "%s cannot be written by %s".formatted(existing,
                    System.getProperty("user.name")), "chown or chmod it, or run as the user it belongs to.");
        }
        return Finding.ok(name, existing.equals(folder) ? folder.toString() : folder + ", will be made");
    }

    private Finding disk(FileStore store, List<Finding> before) throws IOException {
        long free = store.getUsableSpace();
        String words = "%s free on %s (%s)".formatted(Quantity.bytes(free), store.name(), store.type());
        if (free < TOO_LITTLE) return Finding.problem("disk", words, "Make room: jobs would be parked at once.");
        boolean writable = before.stream().noneMatch(finding -> finding.level() == Finding.Level.PROBLEM);
        double millis = writable ? forceMillis(existing(config.work())) : 0;
        if (writable) words += ", a forced write takes %.1f ms".formatted(millis);
        if (millis > SLOW_MILLIS) {
            return Finding.note("disk", words, "Slow, but right. A job's every change of state waits for one or two.");
        }
        return free < LITTLE
                ? Finding.note("disk", words, "A job on Qwen-Image leaves some gigabytes, and more while it runs.")
                : Finding.ok("disk", words);
    }

    /// Median time of a small write that reaches the disk; the file is gone afterwards, whatever happens.
    private static double forceMillis(Path folder) throws IOException {
        long[] nanos = new long[TRIALS];
        Path file = Files.createTempFile(folder, ".nocturne-doctor-", ".tmp");
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE,
                StandardOpenOption.DELETE_ON_CLOSE)) {
            ByteBuffer page = ByteBuffer.allocate(4096);
            for (int i = 0; i < TRIALS; i++) {
                long start = System.nanoTime();
                channel.write(page.clear());
                channel.force(true);
                nanos[i] = System.nanoTime() - start;
            }
        } finally {
            Files.deleteIfExists(file);
        }
        Arrays.sort(nanos);
        return nanos[TRIALS / 2] / 1e6;
    }

    /// The folder itself, or the nearest one above it that is there.
    private static Path existing(Path folder) {
        Path there = folder;
        while (there.getParent() != null && Files.notExists(there)) there = there.getParent();
        return there;
    }
}
