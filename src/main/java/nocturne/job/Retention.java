package nocturne.job;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import nocturne.io.AtomicFiles;
import nocturne.io.CrashPoint;
import nocturne.io.FolderTree;
import nocturne.problem.SickMachine;

/// Frees the room that jobs take up in the work folder some time after their end.
///
/// What goes, and only from jobs that have ended: the unpacked bundle, the state to resume from, and what unfinished
/// writes left. What stays for ever: `job.json`, the journal, and every result. Nothing in the outbox is touched.
///
/// A job that was cleaned cannot be tried again, because its bundle is gone; `job.json` says so before the first file
/// goes. A cleaning that is interrupted is finished by the next one.
///
/// @param ledger whose jobs
/// @param age    a job is left alone for so long after its end
/// @param newest and so many of the jobs that came last are left alone however long ago they ended, so that a clock
///               that jumps cleans nothing away that somebody may still want
/// @param clock  tells how long ago a job ended
public record Retention(Ledger ledger, Duration age, int newest, InstantSource clock) {

    /// What a cleaning did.
    ///
    /// @param jobs     that were cleaned
    /// @param troubles what could not be deleted and why, a line each
    public record Cleaned(List<JobId> jobs, List<String> troubles) {
        public Cleaned {
            jobs = List.copyOf(jobs);
            troubles = List.copyOf(troubles);
        }
    }

    /// Cleans every job whose time has come.
    public Cleaned clean() {
        List<Job> ended = ledger.finished().stream().filter(job -> job.state() != JobState.REFUSED).toList();
        // One moment for every look, so that two looks at the same job agree.
        Instant latest = clock.instant().minus(age);
        List<JobId> cleaned = new ArrayList<>();
        List<String> troubles = new ArrayList<>();
        for (Job job : ended.subList(0, Math.max(0, ended.size() - newest))) {
            try {
                if (endedBefore(latest, job) && clean(job.id(), latest)) cleaned.add(job.id());
            } catch (IOException | SickMachine e) {
                troubles.add("cleaning %s: %s".formatted(job.id(), e.getMessage()));
            }
        }
        return new Cleaned(cleaned, troubles);
    }

    private static boolean endedBefore(Instant latest, Job job) {
        Job.Announcement end = job.announced();
        try {
            return job.isTerminal() && end != null && Instant.parse(end.time()).isBefore(latest);
        } catch (DateTimeParseException nobodyKnows) {
            return false;
        }
    }

    private boolean clean(JobId id, Instant latest) throws IOException {
        List<Path> superfluous = superfluous(id);
        if (superfluous.isEmpty()) return false;
        // Somebody may have asked for another try a moment ago, and that may have ended already.
        Job now = ledger.note(id, job -> endedBefore(latest, job) ? job.withoutBundle() : job);
        if (!endedBefore(latest, now)) return false;
        CrashPoint.at("clean.noted");
        for (Path path : superfluous) {
            FolderTree.delete(path);
            CrashPoint.at("clean.deleted");
        }
        return true;
    }

    private List<Path> superfluous(JobId id) throws IOException {
        Path folder = ledger.work().job(id);
        Path run = ledger.work().run(id);
        List<Path> superfluous = new ArrayList<>();
        for (Path entry : entries(folder)) {
            if (entry.getFileName().toString().startsWith("bundle-")) superfluous.add(entry);
        }
        for (Path entry : entries(run)) {
            if (entry.endsWith(".state") || AtomicFiles.isLeftover(entry)) superfluous.add(entry);
        }
        return superfluous;
    }

    private static List<Path> entries(Path folder) throws IOException {
        // Not through a link: whoever put it there did not mean us to delete what it leads to.
        if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) return List.of();
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.sorted().toList();
        }
    }
}
