package nocturne.job;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
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
        InstantSource clock = () -> time;
        return Ledger.open(work, "studio", clock, Attempts.STANDARD, Children.asked(Duration.ofSeconds(5)));
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
        return ledger.add(prepared(ledger.work()), job, Transition.queued(job)).job().id();
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

    Job start(JobId id) {
        return ledger.advance(id, new Transition.Start(NOBODY, "cpu"));
    }

    Job stumble(JobId id) {
        return ledger.advance(id, new Transition.Stumble(0, "CRASHED", "exit code 139", List.of()));
    }

    Job complete(JobId id) {
        return complete(ledger, id);
    }

    static Job complete(Ledger ledger, JobId id) {
        ledger.advance(id, new Transition.Train(100));
        return ledger.advance(id, new Transition.Complete(
                new Event.Completed(100, "adapter.safetensors", "00", 0.1, "report.html")));
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
