package nocturne.service.publish;

import com.fasterxml.jackson.databind.JsonNode;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import nocturne.event.Event;
import nocturne.event.EventLine;
import nocturne.io.CrashPoint;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.job.Ledger;
import nocturne.problem.Backoff;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import nocturne.service.Ownership;
import nocturne.service.Part;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps the outbox up to date with the jobs, and brings those that are trained to their end.
///
/// Everything it does may be done again, so a start simply asks for every job that the outbox does not show as it is.
@Singleton
final class Publisher implements Part {
    private static final Logger LOG = LoggerFactory.getLogger(Publisher.class);
    private static final int THREADS = 4;
    private static final Backoff PATIENCE = new Backoff(Duration.ofSeconds(2), Duration.ofMinutes(2));

    private final Ledger ledger;
    private final Outbox outbox;
    private final Ownership ownership;
    private final Backoff patience;
    private final KeyedWork<JobId> work = new KeyedWork<>("publish", THREADS, this::publish);
    private final Map<JobId, Integer> failures = new ConcurrentHashMap<>();

    @Inject
    Publisher(Ledger ledger, Outbox outbox, Ownership ownership) {
        this(ledger, outbox, ownership, PATIENCE);
    }

    Publisher(Ledger ledger, Outbox outbox, Ownership ownership, Backoff patience) {
        this.ledger = ledger;
        this.outbox = outbox;
        this.ownership = ownership;
        this.patience = patience;
    }

    @Override
    public int getOrder() {
        return PUBLISHING;
    }

    @Override
    public void start() {
        ledger.listen(job -> work.ask(job.id()));
        ledger.listenToJournals(work::ask);
        // Nobody waits for the thousands that ended long ago and need no more than a look.
        Thread.ofVirtual().name("publish-scan").start(() -> ledger.jobs().stream()
                .filter(job -> !outbox.isShown(job)).forEach(job -> work.ask(job.id())));
    }

    @Override
    public void stop() {
        work.close();
    }

    /// @return after which time to try again
    private Duration publish(JobId id) {
        Job job = ledger.job(id).orElse(null);
        if (job == null) return Duration.ZERO;
        try {
            outbox.show(id);
            if (job.state() == JobState.PUBLISHING) finish(job);
            if (failures.remove(id) != null) LOG.info("job {}: publishing goes on", id);
            return Duration.ZERO;
        } catch (SickMachine e) {
            return failed(job, e.code(), String.valueOf(e.getMessage()));
        } catch (UserMistake e) {
            return failed(job, e.problems().getFirst().code(), e.getMessage());
        }
    }

    private Duration failed(Job job, String code, String message) {
        int times = failures.merge(job.id(), 1, Integer::sum);
        if (times == 1) {
            LOG.warn("job {}: publishing waits, and is tried again: {}", job.id(), message);
        }
        if (job.state() == JobState.PUBLISHING && !job.code().equals(code)) tell(job, code, message);
        return patience.after(times);
    }

    /// So that whoever asks after the job learns why it is not complete.
    private void tell(Job job, String code, String message) {
        try {
            ledger.note(job.id(), now -> now.state() == JobState.PUBLISHING
                    ? now.in(JobState.PUBLISHING, code, message) : now);
            ledger.record(job.id(), new Event.NoticeGiven(code, "publishing waits: " + message));
        } catch (SickMachine alsoFull) {
            // The log has it.
        }
    }

    private void finish(Job job) {
        JobId id = job.id();
        if (!ownership.stillOurs(id)) {
            int theirs = job.claim() == null ? 0 : job.claim().attempt() + 1;
            end(id, JobState.SUPERSEDED, "SUPERSEDED", "another host has taken this job over",
                    new Event.Superseded("another host", theirs));
            return;
        }
        Optional<JsonNode> result = result(ledger.work().run(id));
        if (result.isEmpty()) {
            fail(id, "RESULT_MISSING", "the trainer ended well but its log does not say what it made");
            return;
        }
        CrashPoint.at("publish.synced");
        List<JobCard.Entry> files = outbox.complete(id);
        CrashPoint.at("publish.manifest");
        Event.Completed completed = completed(result.get());
        Optional<JobCard.Entry> adapter = files.stream().filter(file -> file.path().equals(completed.path()))
                .findFirst();
        if (adapter.isEmpty()) {
            fail(id, "RESULT_MISSING", "the trainer's log speaks of " + completed.path() + ", which is not there");
        } else if (!adapter.get().sha256().equals(completed.sha256())) {
            fail(id, "RESULT_DAMAGED", completed.path() + " is not what the trainer wrote: its SHA-256 is "
                    + adapter.get().sha256() + " and should be " + completed.sha256());
        } else {
            ledger.advance(id, now -> now.state() == JobState.PUBLISHING
                    ? now.in(JobState.COMPLETED, "", "").withStep(completed.step()) : now, completed);
        }
    }

    private void fail(JobId id, String code, String message) {
        end(id, JobState.FAILED, code, message, new Event.Failed(code, message, List.of()));
    }

    private void end(JobId id, JobState state, String code, String message, Event event) {
        ledger.advance(id, now -> now.state() == JobState.PUBLISHING ? now.in(state, code, message) : now, event);
    }

    /// The data of the last `completed` in the trainer's own log.
    private static Optional<JsonNode> result(Path run) {
        Path log = run.resolve("events.jsonl");
        if (Files.notExists(log)) return Optional.empty();
        try (Stream<String> lines = Files.lines(log, StandardCharsets.ISO_8859_1)) {
            String type = "nocturne.job.completed.v1";
            return lines.filter(line -> line.contains(type)).flatMap(line -> EventLine.parse(line).stream())
                    .filter(line -> line.type().equals(type)).reduce((_, later) -> later).map(EventLine::data);
        } catch (IOException e) {
            throw new SickMachine("READ_FAILED", "reading " + log + ": " + e.getMessage(), e);
        }
    }

    private static Event.Completed completed(JsonNode data) {
        return new Event.Completed(data.path("step").asLong(), data.path("path").asText(),
                data.path("sha256").asText(), data.path("finalLoss").asDouble(Double.NaN),
                data.path("report").asText());
    }
}
