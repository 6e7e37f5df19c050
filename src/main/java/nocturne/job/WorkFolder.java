package nocturne.job;

import java.nio.file.Path;

/// Where a service keeps what is nobody else's business: `work/`, on a local disk.
///
/// ```
/// work/
///   instance.lock  status.json
///   cache/                        what trainers computed of pictures and captions; may be deleted when none runs
///   locks/                        one file a device, held by the trainer that computes on it
///   host/events.jsonl             what happened to the host and its devices
///   incoming/<unique>/            being unpacked; deleted at every start
///   pending/                      promised on Kafka, not yet imported
///   unreadable/<job>-<n>/         what a start found and could not understand, for a person to look at
///   jobs/<job>/
///     job.json                    the state
///     events.jsonl                the journal: every event of the job, as published
///     relayed-<reader>            how far the journal has been delivered to Kafka or a webhook
///     bundle-<hash>/              what was dropped, unpacked
///     run/                        where the trainer works
///     trainer.log                 what it said, bounded
/// ```
///
/// @param root the folder itself
public record WorkFolder(Path root) {
    public WorkFolder {
        root = root.toAbsolutePath().normalize();
    }

    public Path instanceLock() {
        return root.resolve("instance.lock");
    }

    public Path status() {
        return root.resolve("status.json");
    }

    /// What trainers keep for each other.
    public Path cache() {
        return root.resolve("cache");
    }

    public Path hostJournal() {
        return root.resolve("host/events.jsonl");
    }

    public Path locks() {
        return root.resolve("locks");
    }

    public Path incoming() {
        return root.resolve("incoming");
    }

    public Path pending() {
        return root.resolve("pending");
    }

    public Path unreadable() {
        return root.resolve("unreadable");
    }

    public Path jobs() {
        return root.resolve("jobs");
    }

    public Path job(JobId id) {
        return jobs().resolve(id.text());
    }

    public Path jobFile(JobId id) {
        return job(id).resolve(JobFile.NAME);
    }

    public Path journal(JobId id) {
        return job(id).resolve("events.jsonl");
    }

    /// Where the trainer works: what it leaves there is mirrored to the outbox.
    public Path run(JobId id) {
        return job(id).resolve("run");
    }

    public Path trainerLog(JobId id) {
        return job(id).resolve("trainer.log");
    }

    /// Where the trainer says that it is alive.
    public Path heartbeat(JobId id) {
        return run(id).resolve(".state/heartbeat.json");
    }
}
