package nocturne.service.publish;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import nocturne.event.Event;
import nocturne.event.EventLine;
import nocturne.event.EventLog;
import nocturne.io.AtomicFiles;
import nocturne.io.ContentHash;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.job.Ledger;
import nocturne.job.WorkFolder;

/// A ledger with jobs whose trainer is this object: it writes files and a log of its own as a trainer does, and takes
/// the events over as the service does.
final class Desk implements AutoCloseable {
    static final String HOST = "desk";
    final Path home;
    final Ledger ledger;

    Desk(Path home) {
        this.home = home;
        this.ledger = Ledger.open(new WorkFolder(home.resolve("work")), HOST, InstantSource.system());
    }

    Path outbox() {
        return home.resolve("outbox");
    }

    Path work(JobId id) {
        return ledger.work().job(id);
    }

    /// A job that waits.
    JobId queue(String id) {
        JobId job = new JobId(id);
        add(Job.queued(job, id, "inbox:" + id + ".zip", "00".repeat(32), "bundle", null, 0, "2026-11-21T12:00:00Z", 20,
                3, null), new Event.Queued(id, "inbox:" + id + ".zip", "00".repeat(32), 20, 3));
        return job;
    }

    void add(Job job, Event event) {
        try {
            Path prepared = Files.createTempDirectory(ledger.work().incoming(), "in");
            ledger.add(prepared, job, event);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// A job with a trainer.
    JobId run(String id) {
        JobId job = queue(id);
        start(job);
        return job;
    }

    void start(JobId id) {
        try {
            Files.createDirectories(ledger.work().run(id).resolve(".state"));
            Files.writeString(ledger.work().run(id).resolve(".state/heartbeat.json"), "{}");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        ledger.advance(id, now -> now.startedAs(new Job.Child(1, 1, "boot"), "cpu"),
                new Event.Started(id.text(), 20, 3, "cpu"));
    }

    /// The trainer writes a file, whole or not at all.
    String file(JobId id, String path, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        AtomicFiles.write(ledger.work().run(id).resolve(path), out -> out.write(bytes));
        return ContentHash.ofBytes(bytes);
    }

    /// The trainer writes a checkpoint and says so in its log.
    String checkpoint(JobId id, long step, String text) {
        String path = "checkpoints/%s-%06d.safetensors".formatted(id, step);
        String sha256 = file(id, path, text);
        say(id, new Event.CheckpointWritten(step, path, text.length(), sha256, 0.5, Double.NaN));
        return path;
    }

    /// The trainer draws a sample and says so in its log.
    String sample(JobId id, long step, String text) {
        String path = "samples/%06d-0.png".formatted(step);
        say(id, new Event.SampleWritten(step, 0, path, file(id, path, text)));
        return path;
    }

    /// The trainer is done.
    void complete(JobId id, String text) {
        String sha256 = file(id, "final.safetensors", text);
        file(id, "report.html", "<html>");
        say(id, new Event.Completed(20, "final.safetensors", sha256, 0.25, "report.html"));
    }

    void say(JobId id, Event event) {
        try (EventLog log = EventLog.open(ledger.work().run(id).resolve("events.jsonl"), id.text(), "/nocturne/train",
                InstantSource.system())) {
            log.append(event);
        }
    }

    /// The service takes over what the trainer said, but for its last word.
    void takeOver(JobId id) {
        List<EventLine> lines = new ArrayList<>();
        for (EventLine line : lines(ledger.work().run(id).resolve("events.jsonl"))) {
            if (!line.type().equals("nocturne.job.completed.v1")) lines.add(line);
        }
        ledger.takeOver(id, lines);
    }

    /// The service sees that the trainer has ended well.
    void ended(JobId id) {
        takeOver(id);
        ledger.advance(id, now -> now.in(JobState.PUBLISHING, "", ""), new Event.NoticeGiven("TRAINED", "done"));
    }

    static List<EventLine> lines(Path log) {
        try {
            return Files.exists(log) ? Files.readAllLines(log).stream().flatMap(line -> EventLine.parse(line).stream())
                    .toList() : List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    List<EventLine> journal(JobId id) {
        return lines(ledger.work().journal(id));
    }

    JobState state(JobId id) {
        return ledger.job(id).orElseThrow().state();
    }

    @Override
    public void close() {
        ledger.close();
    }
}
