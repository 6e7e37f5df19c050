package nocturne.job;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import nocturne.event.Event;
import nocturne.event.EventLine;

/// A ledger in a folder of its own, and jobs for it.
final class LedgerCase implements AutoCloseable {
    static final Job.Child NOBODY = new Job.Child(Integer.MAX_VALUE, 1, "another start of the machine");

    private static final Instant NOON = Instant.parse("2026-11-21T12:00:00Z");
    private static final AtomicLong COUNTER = new AtomicLong();

    final WorkFolder work;
    final LedgerOracle oracle;
    /// Set it to make the clock jump.
    Instant time = NOON;
    Ledger ledger;

    LedgerCase(Path folder) {
        work = new WorkFolder(folder);
        oracle = new LedgerOracle(work);
        ledger = open();
    }

    private Ledger open() {
        return Ledger.open(work, "studio", () -> time);
    }

    /// Stops and starts the service.
    Ledger reopen() {
        ledger.close();
        ledger = open();
        return ledger;
    }

    /// A new job with a bundle of one file.
    JobId add(String id) {
        return add(ledger, id);
    }

    static JobId add(Ledger ledger, String id) {
        return add(ledger, id, 0);
    }

    static JobId add(Ledger ledger, String id, int priority) {
        JobId name = new JobId(id);
        Job job = Job.queued(name, id, "test:" + id, "hash-" + id, "bundle-1", null, priority, ledger.now(), 100, 12,
                null);
        return ledger.add(prepared(ledger.work()), job, queued(job)).job().id();
    }

    static Event queued(Job job) {
        return new Event.Queued(job.name(), job.origin(), job.contentHash(), job.steps(), job.pictures());
    }

    static Path prepared(WorkFolder work) {
        try {
            Path folder = work.incoming().resolve("test-" + COUNTER.incrementAndGet());
            Files.createDirectories(folder.resolve("bundle-1"));
            Files.writeString(folder.resolve("bundle-1/recipe.yaml"), "name: test\n");
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Job job(JobId id) {
        return ledger.job(id).orElseThrow();
    }

    JobState state(JobId id) {
        return job(id).state();
    }

    /// Takes a job to a state in the way that the service does.
    static Job to(Ledger ledger, JobId id, JobState state) {
        return switch (state) {
            case QUEUED -> ledger.advance(id, job -> job.in(state, "HOST_STOPPING", "later"),
                    new Event.Interrupted(7, "HOST_STOPPING", "later"));
            case RUNNING -> ledger.advance(id, job -> job.startedAs(NOBODY, "cpu"),
                    new Event.Started("x", 100, 12, "cpu"));
            case PARKED -> ledger.advance(id, job -> job.in(state, "DISK_FULL", "no room"),
                    new Event.Parked("DISK_FULL", "no room"));
            case PUBLISHING -> ledger.advance(id, job -> job.withStep(100).in(state, "", ""),
                    new Event.Progressed(100, 100, 0.1, 1, 0, 0, 1, Event.LossByNoise.UNKNOWN));
            case COMPLETED -> ledger.advance(id, job -> job.in(state, "", ""),
                    new Event.Completed(100, "adapter.safetensors", "00", 0.1, "report.html"));
            case FAILED -> ledger.advance(id, job -> job.in(state, "CRASHED", "exit code 139"),
                    new Event.Failed("CRASHED", "exit code 139", List.of()));
            case CANCELLED -> ledger.advance(id, job -> job.in(state, "CANCELLED", "no"), new Event.Cancelled("no"));
            case SUPERSEDED -> ledger.advance(id, job -> job.in(state, "SUPERSEDED", "attic has it"),
                    new Event.Superseded("attic", 2));
            case REFUSED -> ledger.advance(id, job -> job.in(state, "X", "no"), new Event.Rejected("x", List.of()));
        };
    }

    Job to(JobId id, JobState... states) {
        for (JobState state : states) to(ledger, id, state);
        return job(id);
    }

    Job complete(JobId id) {
        return to(id, JobState.RUNNING, JobState.PUBLISHING, JobState.COMPLETED);
    }

    /// A line of a trainer's own log.
    static EventLine trainers(JobId id, long sequence, Event event) {
        return new EventLine("", id + "/1/" + sequence, event.type(), id.text(), sequence, "2026-11-21T12:00:00Z", 0,
                event.data());
    }

    @Override
    public void close() {
        ledger.close();
    }
}
