package nocturne.job;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import nocturne.problem.Problem;
import org.jspecify.annotations.Nullable;

/// All there is to know about a job, as it stands in `job.json`.
///
/// @param schema      of this file; readers know this one and the one before
/// @param id          of the job
/// @param name        as the user knows it; any text
/// @param origin      where it came from, such as `inbox:maya.zip` or `kafka:nocturne.jobs/3@17`
/// @param contentHash of the bundle, SHA-256
/// @param bundle      the unpacked bundle's folder, relative to the job's; empty where there is none (refused)
/// @param model       a pipeline instead of the one the recipe names
/// @param priority    higher goes first; 0 is usual
/// @param created     when it became ours, RFC 3339, for people and for the order among equals
/// @param state       where it is
/// @param code        why it is there, stable, such as `DISK_FULL`; empty where there is nothing to say
/// @param message     the same for people
/// @param problems    what was wrong, for a refused or failed job
/// @param attempt     how often a trainer was started
/// @param failures    how many of those attempts count against it
/// @param step        updates made and saved, as far as known
/// @param steps       updates planned
/// @param pictures    how many it trains on
/// @param device      the slot it runs or last ran on
/// @param child       the trainer's process while it is running
/// @param claim       what was promised on Kafka; null for a job that did not come from there
/// @param sequence    of the journal's line that announces this state
/// @param announced   that line's type and data, so that a restart can write it if the machine stopped before
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonIgnoreProperties(ignoreUnknown = true)
public record Job(int schema, JobId id, String name, String origin, String contentHash, String bundle,
        @Nullable String model, int priority, String created, JobState state, String code, String message,
        List<Problem> problems, int attempt, int failures, long step, long steps, int pictures,
        @Nullable String device, @Nullable Child child, @Nullable Claim claim, long sequence,
        @Nullable Announcement announced) {
    /// Raised when a reader of the version before could no longer make sense of the file.
    public static final int SCHEMA = 1;

    public Job {
        problems = List.copyOf(problems);
    }

    /// A process that can be told from another one with the same number.
    ///
    /// @param pid     its number
    /// @param started when it started, milliseconds since 1970, as the operating system says
    /// @param boot    of which start of the machine
    public record Child(long pid, long started, String boot) {}

    /// What this host promised on Kafka.
    ///
    /// @param request id of the request, the key on the claims topic
    /// @param attempt which host's turn it is, counted from 1
    public record Claim(String request, int attempt) {}

    /// An event, before it has its place in the journal.
    public record Announcement(String type, ObjectNode data, String time) {}

    /// A job that has just been checked.
    public static Job queued(JobId id, String name, String origin, String contentHash, String bundle,
            @Nullable String model, int priority, String created, long steps, int pictures, @Nullable Claim claim) {
        return new Job(SCHEMA, id, name, origin, contentHash, bundle, model, priority, created, JobState.QUEUED, "",
                "", List.of(), 0, 0, 0, steps, pictures, null, null, claim, 0, null);
    }

    /// What could not become a job.
    public static Job refused(JobId id, String name, String origin, String contentHash, String created,
            List<Problem> problems, @Nullable Claim claim) {
        return new Job(SCHEMA, id, name, origin, contentHash, "", null, 0, created, JobState.REFUSED,
                problems.getFirst().code(), problems.getFirst().toString(), problems, 0, 0, 0, 0, 0, null, null, claim,
                0, null);
    }

    @JsonIgnore
    public boolean isTerminal() {
        return state.isTerminal();
    }

    /// The same job in another state, with the reason for it; the trainer's process is gone with the old one.
    public Job in(JobState next, String why, String words) {
        return new Job(schema, id, name, origin, contentHash, bundle, model, priority, created, next, why, words,
                problems, attempt, failures, step, steps, pictures, device, null, claim, sequence, announced);
    }

    /// Running as one attempt more, in this process.
    public Job startedAs(Child process, String onDevice) {
        return new Job(schema, id, name, origin, contentHash, bundle, model, priority, created, JobState.RUNNING, "",
                "", problems, attempt + 1, failures, step, steps, pictures, onDevice, process, claim, sequence,
                announced);
    }

    public Job withProblems(List<Problem> found) {
        return new Job(schema, id, name, origin, contentHash, bundle, model, priority, created, state, code, message,
                found, attempt, failures, step, steps, pictures, device, child, claim, sequence, announced);
    }

    public Job withPriority(int wanted) {
        return new Job(schema, id, name, origin, contentHash, bundle, model, wanted, created, state, code, message,
                problems, attempt, failures, step, steps, pictures, device, child, claim, sequence, announced);
    }

    public Job withFailures(int counted) {
        return new Job(schema, id, name, origin, contentHash, bundle, model, priority, created, state, code, message,
                problems, attempt, counted, step, steps, pictures, device, child, claim, sequence, announced);
    }

    public Job withStep(long done) {
        return new Job(schema, id, name, origin, contentHash, bundle, model, priority, created, state, code, message,
                problems, attempt, failures, done, steps, pictures, device, child, claim, sequence, announced);
    }

    /// The same job, promised anew.
    public Job withClaim(Claim promised) {
        return new Job(schema, id, name, origin, contentHash, bundle, model, priority, created, state, code, message,
                problems, attempt, failures, step, steps, pictures, device, child, promised, sequence, announced);
    }

    Job announcing(long at, Announcement event) {
        return new Job(schema, id, name, origin, contentHash, bundle, model, priority, created, state, code, message,
                problems, attempt, failures, step, steps, pictures, device, child, claim, at, event);
    }
}
