package nocturne.job;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import nocturne.io.AtomicFiles;
import nocturne.io.CrashPoint;
import nocturne.io.FolderTree;
import nocturne.problem.UserMistake;

/// Brings a work folder into order before anything else happens: a function of what lies on the disk, and harmless to
/// repeat.
///
/// | found                                   | done                                                              |
/// | --------------------------------------- | ----------------------------------------------------------------- |
/// | anything in `incoming/`                 | deleted: whoever brought it still has it                          |
/// | a journal that ends before `job.json`   | the missing line is written                                       |
/// | half a line at a journal's end          | cut off, and noticed in the journal                               |
/// | a journal that is none of this job's    | moved aside within the folder; a new one goes on                  |
/// | no readable `job.json`                  | the folder is moved to `unreadable/` with everything in it        |
/// | `job.json` of a later version           | left as it is                                                     |
/// | a job in two folders                    | the later state stays, the other one is moved to `unreadable/`    |
///
/// No job's state is changed here. Whoever runs jobs sees to the running ones, whose trainers may still be there;
/// whoever publishes, to those being published.
final class Recovery {
    private static final String CONFLICT = "%s holds a job that lies in %s too; it was moved to %s";

    private final WorkFolder work;
    private final Ledger ledger;

    /// A job and the folder it was found in.
    private record Found(Path folder, Job job) {}

    Recovery(WorkFolder work, Ledger ledger) {
        this.work = work;
        this.ledger = ledger;
    }

    void run() {
        try {
            makeFolders();
            clearIncoming();
            Map<JobId, Found> jobs = new HashMap<>();
            for (Path folder : entries(work.jobs())) find(folder, jobs);
            for (Found found : jobs.values()) restore(found);
        } catch (IOException e) {
            throw AtomicFiles.explained(e, work.root());
        }
    }

    private void makeFolders() throws IOException {
        for (Path folder : List.of(work.jobs(), work.pending(), work.incoming(), work.hostJournal().getParent())) {
            Files.createDirectories(folder);
        }
        // What is promised to be in these folders must not be lost with the folders themselves.
        AtomicFiles.forceFolder(work.root());
        AtomicFiles.forceFolder(work.root().resolveSibling(""));
        try {
            // Prompts and pictures lie in here.
            Files.setPosixFilePermissions(work.root(), PosixFilePermissions.fromString("rwx------"));
        } catch (IOException | UnsupportedOperationException e) {
            ledger.repaired("%s cannot be closed to other users: %s".formatted(work.root(), e.getMessage()));
        }
    }

    private void clearIncoming() throws IOException {
        for (Path left : entries(work.incoming())) {
            try {
                FolderTree.delete(left);
            } catch (IOException e) {
                ledger.repaired("%s cannot be deleted: %s".formatted(left, e.getMessage()));
            }
        }
    }

    private void find(Path folder, Map<JobId, Found> jobs) throws IOException {
        if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
            ledger.repaired(folder + " is no job's folder; it is left as it is");
            return;
        }
        Path file = folder.resolve(JobFile.NAME);
        try {
            Job job = JobFile.read(file);
            AtomicFiles.removeLeftovers(folder);
            Found found = new Found(folder, job);
            Found other = jobs.putIfAbsent(job.id(), found);
            if (other == null) return;
            Found winner = isFurther(found, other) ? found : other;
            Found loser = winner == found ? other : found;
            jobs.put(job.id(), winner);
            ledger.repaired(CONFLICT.formatted(loser.folder(), winner.folder(), putAside(loser.folder())));
        } catch (JobFile.Newer newer) {
            ledger.repaired(String.valueOf(newer.getMessage()));
        } catch (JobFile.Unreadable unreadable) {
            ledger.repaired("%s; everything was moved to %s".formatted(unreadable.getMessage(), putAside(folder)));
        }
    }

    /// Of two that are equally far, the one in its own folder is the job and the other one a copy.
    private boolean isFurther(Found found, Found other) {
        if (found.job().sequence() != other.job().sequence()) {
            return found.job().sequence() > other.job().sequence();
        }
        return found.folder().equals(work.job(found.job().id()));
    }

    private Path putAside(Path folder) throws IOException {
        Files.createDirectories(work.unreadable());
        Path target = aside(work.unreadable(), folder.getFileName().toString());
        Files.move(folder, target);
        AtomicFiles.forceFolder(work.unreadable());
        AtomicFiles.forceFolder(work.jobs());
        CrashPoint.at("recovery.put-aside");
        return target;
    }

    private static Path aside(Path folder, String name) {
        int number = 1;
        while (Files.exists(folder.resolve(name + "-" + number), LinkOption.NOFOLLOW_LINKS)) number++;
        return folder.resolve(name + "-" + number);
    }

    private void restore(Found found) throws IOException {
        Job job = found.job();
        Path own = work.job(job.id());
        if (!found.folder().equals(own)) {
            if (Files.exists(own, LinkOption.NOFOLLOW_LINKS)) {
                ledger.repaired(CONFLICT.formatted(found.folder(), own, putAside(found.folder())));
                return;
            }
            Files.move(found.folder(), own);
            AtomicFiles.forceFolder(work.jobs());
            ledger.repaired("%s is the job %s; the folder has its name again".formatted(found.folder(), job.id()));
        }
        String repaired;
        try {
            repaired = ledger.restore(job);
        } catch (UserMistake notItsJournal) {
            Path journal = work.journal(job.id());
            Path target = aside(own, journal.getFileName().toString());
            Files.move(journal, target);
            ledger.repaired("%s; it is %s now, and a new one goes on".formatted(notItsJournal.report(), target));
            repaired = ledger.restore(job);
        }
        if (!repaired.isEmpty()) ledger.repaired(repaired);
    }

    private static List<Path> entries(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.sorted().toList();
        }
    }
}
