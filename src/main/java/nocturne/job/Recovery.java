package nocturne.job;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import nocturne.io.AtomicFiles;

/// Brings a work folder into order before anything else happens: a function of what lies on the disk, and harmless to
/// repeat.
final class Recovery {
    private final WorkFolder work;
    private final Ledger ledger;

    Recovery(WorkFolder work, Ledger ledger) {
        this.work = work;
        this.ledger = ledger;
    }

    void run() {
        try {
            Files.createDirectories(work.jobs());
            Files.createDirectories(work.pending());
            Files.createDirectories(work.hostJournal().getParent());
            deleteRecursively(work.incoming());
            Files.createDirectories(work.incoming());
            for (Path folder : children(work.jobs())) restore(folder);
        } catch (IOException e) {
            throw AtomicFiles.explained(e, work.root());
        }
    }

    private void restore(Path folder) throws IOException {
        AtomicFiles.removeLeftovers(folder);
        try {
            ledger.restore(JobFile.read(folder.resolve("job.json")));
        } catch (JobFile.Unreadable unreadable) {
            // Left for a person to look at; see the hardening.
        }
    }

    private static List<Path> children(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.sorted().toList();
        }
    }

    private static void deleteRecursively(Path folder) throws IOException {
        if (Files.notExists(folder)) return;
        try (Stream<Path> entries = Files.walk(folder)) {
            for (Path entry : entries.sorted(Comparator.reverseOrder()).toList()) Files.delete(entry);
        }
    }
}
