package nocturne.service.publish;

import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import nocturne.io.AtomicFiles;
import nocturne.io.ContentHash;
import nocturne.io.CrashPoint;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.job.Ledger;
import nocturne.service.ServiceConfig;

/// Every job's folder in the outbox:
///
/// ```
/// outbox/<job>/
///   job.json         how the job is; the last word
///   events.jsonl     the journal
///   manifest.json    path, bytes and SHA-256 of every file of the result, once it is complete
///   refused.json     what is wrong with the bundle, if it could not be used
///   checkpoints/ samples/ report.html ...    as the trainer makes them
/// ```
///
/// A folder of that name that is not ours is left alone; the job is then published to `<job>-2`, and so on.
/// All methods may be called from any thread.
@Singleton
final class Outbox {
    private final Ledger ledger;
    private final Path outbox;
    private final Map<JobId, Object> locks = new ConcurrentHashMap<>();
    private final Map<JobId, Long> synced = new ConcurrentHashMap<>();
    private final Set<JobId> swept = ConcurrentHashMap.newKeySet();

    @Inject
    Outbox(Ledger ledger, ServiceConfig config) {
        this(ledger, config.outbox());
    }

    Outbox(Ledger ledger, Path outbox) {
        this.ledger = ledger;
        this.outbox = outbox;
    }

    /// Publishes the files that are there now and were not published yet. Returns when they are visible.
    ///
    /// @throws nocturne.problem.SickMachine if the disk refuses; what was published before is whole
    void sync(JobId id) {
        synchronized (lock(id)) {
            Job job = job(id);
            if (isShown(job)) return;
            try {
                byte[] journal = wholeLines(id);
                copyJournal(mirror(id), journal);
            } catch (IOException e) {
                throw AtomicFiles.explained(e, outbox.resolve(id.text()));
            }
        }
    }

    /// Like [#sync], for who knows of a line in the journal; does nothing if it was done for that line before.
    void syncUpTo(JobId id, long sequence) {
        if (synced.getOrDefault(id, 0L) >= sequence) return;
        sync(id);
        synced.merge(id, sequence, Math::max);
    }

    /// Shows how the job is now: its files, its journal, and at the very end `job.json`.
    void show(JobId id) {
        synchronized (lock(id)) {
            Job job = job(id);
            if (isShown(job)) return;
            try {
                byte[] journal = wholeLines(id);
                // What is complete has its manifest, and what another host goes on with is not ours to publish.
                boolean settled = job.state() == JobState.COMPLETED || job.state() == JobState.SUPERSEDED;
                PublicFolder folder = settled ? folder(id) : mirror(id);
                copyJournal(folder, journal);
                if (job.state() == JobState.REFUSED) replace(folder.file("refused.json"), JobCard.refusal(job));
                CrashPoint.at("outbox.last-word");
                boolean hasReport = !Stamp.of(folder.file("report.html")).isEmpty();
                replace(folder.file("job.json"), JobCard.of(job, hasReport));
                if (job.isTerminal()) folder.state().showing(job.sequence()).write(stateFile(id));
            } catch (IOException e) {
                throw AtomicFiles.explained(e, outbox.resolve(id.text()));
            }
        }
    }

    /// Writes `manifest.json` over all files that were published.
    ///
    /// @return its entries
    List<JobCard.Entry> complete(JobId id) {
        synchronized (lock(id)) {
            Job job = job(id);
            try {
                PublicFolder folder = folder(id);
                List<JobCard.Entry> entries = new ArrayList<>();
                for (String path : folder.files()) {
                    Path file = folder.file(path);
                    entries.add(new JobCard.Entry(path, Files.size(file), ContentHash.ofFile(file)));
                }
                replace(folder.file("manifest.json"), JobCard.manifest(job, entries));
                return entries;
            } catch (IOException e) {
                throw AtomicFiles.explained(e, outbox.resolve(id.text()));
            }
        }
    }

    /// Whether a job has come to its end and the outbox says so. Nothing is done to such a folder any more.
    boolean isShown(Job job) {
        return job.isTerminal() && OutboxState.read(stateFile(job.id())).sequence() == job.sequence();
    }

    private PublicFolder mirror(JobId id) throws IOException {
        PublicFolder folder = folder(id);
        Path run = ledger.work().run(id);
        // Without the trainer's folder there is nothing to compare with, which does not mean that all was pruned.
        if (PublicFolder.isFolder(run)) folder.mirror(run);
        return folder;
    }

    /// Where the job is published; made if need be.
    private PublicFolder folder(JobId id) throws IOException {
        OutboxState state = OutboxState.read(stateFile(id));
        if (state.folder().isEmpty() || !isUsable(outbox.resolve(state.folder()))) {
            state = state.withFiles(Map.of()).in(claim(id));
            state.write(stateFile(id));
        }
        PublicFolder folder = new PublicFolder(outbox.resolve(state.folder()), stateFile(id), state);
        if (swept.add(id)) folder.removeLeftovers();
        return folder;
    }

    /// A folder that was ours and is gone is made again.
    private static boolean isUsable(Path root) throws IOException {
        if (Files.notExists(root, LinkOption.NOFOLLOW_LINKS)) Files.createDirectories(root);
        return PublicFolder.isFolder(root);
    }

    private String claim(JobId id) throws IOException {
        Files.createDirectories(outbox);
        for (int i = 1; ; i++) {
            String name = i == 1 ? id.text() : id.text() + "-" + i;
            Path root = outbox.resolve(name);
            try {
                Files.createDirectory(root);
            } catch (FileAlreadyExistsException taken) {
                // Empty: made by us in the moment before the machine stopped, or of no worth to anybody.
                if (!isEmptyFolder(root)) continue;
            }
            AtomicFiles.forceFolder(outbox);
            CrashPoint.at("outbox.claimed");
            return name;
        }
    }

    private static boolean isEmptyFolder(Path root) throws IOException {
        if (!PublicFolder.isFolder(root)) return false;
        try (Stream<Path> entries = Files.list(root)) {
            return entries.allMatch(AtomicFiles::isLeftover);
        }
    }

    /// The journal up to its last whole line.
    private byte[] wholeLines(JobId id) throws IOException {
        Path journal = ledger.work().journal(id);
        if (Files.notExists(journal)) return new byte[0];
        try (InputStream in = Files.newInputStream(journal)) {
            byte[] bytes = in.readAllBytes();
            int end = bytes.length;
            while (end > 0 && bytes[end - 1] != '\n') end--;
            return end == bytes.length ? bytes : Arrays.copyOf(bytes, end);
        }
    }

    private static void copyJournal(PublicFolder folder, byte[] journal) {
        Path copy = folder.file("events.jsonl");
        // It only ever grows.
        if (Stamp.of(copy).startsWith(journal.length + "@")) return;
        AtomicFiles.write(copy, journal.length, out -> out.write(journal));
    }

    private static void replace(Path file, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        boolean same = Stamp.of(file).startsWith(bytes.length + "@")
                && Arrays.equals(Files.readAllBytes(file), bytes);
        if (!same) AtomicFiles.write(file, bytes.length, out -> out.write(bytes));
    }

    private Object lock(JobId id) {
        return locks.computeIfAbsent(id, _ -> new Object());
    }

    private Job job(JobId id) {
        return ledger.job(id).orElseThrow(() -> new IllegalArgumentException("no job " + id));
    }

    private Path stateFile(JobId id) {
        return ledger.work().job(id).resolve("outbox.json");
    }
}
