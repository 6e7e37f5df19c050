package nocturne.service.publish;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Random;
import nocturne.event.Event;
import nocturne.event.EventLine;
import nocturne.io.AtomicFiles;
import nocturne.io.ContentHash;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.problem.Backoff;

/// A service that does nothing but publish, with trainers that only pretend, made to be killed. It goes on where the
/// one before was killed, and ends when all jobs have ended and everything has been told.
public final class PublishingProcess {
    static final int STEPS = 40;
    static final int EVERY = 5;
    private static final int BYTES = 2_000_000;
    private static final Backoff IMPATIENT = new Backoff(Duration.ofMillis(100), Duration.ofMillis(500));

    private PublishingProcess() {}

    /// What a file holds whenever and however often it is written.
    static byte[] content(String job, String path) {
        byte[] bytes = new byte[path.endsWith(".safetensors") ? BYTES : BYTES / 10];
        new Random((job + "/" + path).hashCode()).nextBytes(bytes);
        return bytes;
    }

    /// @param words home, outbox, brokers, topic, how many jobs
    public static void main(String[] words) throws Exception {
        Desk desk = new Desk(Path.of(words[0]));
        Outbox outbox = new Outbox(desk.ledger, Path.of(words[1]));
        Publisher publisher = new Publisher(desk.ledger, outbox, _ -> true, IMPATIENT);
        try (EventsRoute route = new EventsRoute(words[2], words[3]);
                Relay relay = new Relay(new KafkaTarget(route.template(), new Attachments(0), words[2]),
                        (journal, line) -> outbox.syncUpTo(new JobId(journal.subject()), line.line().sequence()),
                        IMPATIENT, 4, InstantSource.system())) {
            desk.ledger.listenToJournals(id -> relay.grown(journal(desk, id)));
            for (Job job : desk.ledger.jobs()) relay.grown(journal(desk, job.id()));
            publisher.start();
            System.out.println("ready");
            for (int number = desk.ledger.jobs().size(); number < Integer.parseInt(words[4]); number++) {
                desk.queue("job-" + number);
            }
            while (!desk.ledger.jobs().stream().allMatch(Job::isTerminal)) {
                for (Job job : desk.ledger.jobs()) work(desk, outbox, job);
            }
            while (!relay.isIdle() || relay.lag() > 0
                    || !desk.ledger.jobs().stream().allMatch(outbox::isShown)) Thread.sleep(20);
        }
        publisher.stop();
        desk.close();
        Runtime.getRuntime().halt(0);
    }

    private static Journal journal(Desk desk, JobId id) {
        return new Journal(id.text(), desk.ledger.work().journal(id), false);
    }

    /// A bit of training.
    private static void work(Desk desk, Outbox outbox, Job job) throws Exception {
        JobId id = job.id();
        if (job.state() == JobState.QUEUED) desk.start(id);
        if (desk.state(id) != JobState.RUNNING) {
            Thread.sleep(1);
            return;
        }
        Path run = desk.ledger.work().run(id);
        long done = Desk.lines(run.resolve("events.jsonl")).stream()
                .filter(line -> line.type().equals("nocturne.checkpoint.written.v1"))
                .mapToLong(line -> line.data().path("step").asLong()).max().orElse(0);
        if (done < STEPS) {
            long step = done + EVERY;
            String sample = "samples/%06d-0.png".formatted(step);
            desk.say(id, new Event.SampleWritten(step, 0, sample, write(id, run, sample)));
            String checkpoint = "checkpoints/%06d.safetensors".formatted(step);
            desk.say(id, new Event.CheckpointWritten(step, checkpoint, BYTES, write(id, run, checkpoint), 0.5, 0.5));
            // The last two are kept.
            for (long old = EVERY; old <= step - 2 * EVERY; old += EVERY) {
                Files.deleteIfExists(run.resolve("checkpoints/%06d.safetensors".formatted(old)));
            }
            desk.takeOver(id);
            outbox.sync(id);
            Thread.sleep(20);
        } else {
            if (Desk.lines(run.resolve("events.jsonl")).stream().map(EventLine::type)
                    .noneMatch("nocturne.job.completed.v1"::equals)) {
                desk.say(id, new Event.Completed(STEPS, "final.safetensors", write(id, run, "final.safetensors"), 0.5,
                        "report.html"));
            }
            desk.ended(id);
        }
    }

    private static String write(JobId id, Path run, String path) {
        byte[] bytes = content(id.text(), path);
        AtomicFiles.write(run.resolve(path), out -> out.write(bytes));
        return ContentHash.ofBytes(bytes);
    }
}
