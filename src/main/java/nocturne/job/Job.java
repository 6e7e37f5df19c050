package nocturne.job;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Objects;
import nocturne.problem.Problem;
import org.jspecify.annotations.Nullable;

/// All there is to know about a job, as it stands in `job.json`.
///
/// Fields are only ever added within a schema, and a field that an older file lacks is 0, false or null.
///
/// @param schema      of this file; readers know this one and the one before
/// @param id          of the job
/// @param name        as the user knows it; any text
/// @param origin      where it came from, such as `inbox:maya.zip` or `kafka:nocturne.jobs/3@17`
/// @param contentHash of the bundle, SHA-256
/// @param bundle      the unpacked bundle's folder, relative to the job's; empty where there is none (refused, or
///                    cleaned away some time after the job's end)
/// @param model       a pipeline instead of the one the recipe names
/// @param modelFolder where the job's pipeline was found when the job was taken: absolute, or relative to the job's
///                    folder for one that came in the bundle; null in files of versions that did not keep it
/// @param priority    higher goes first; 0 is usual
/// @param created     when it became ours, RFC 3339, for people
/// @param order       which job of this work folder it was, from 1: who came first, whatever the clock said
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
/// @param cancelling  whether somebody asked for the end of the running attempt; the job is cancelled when it is over
/// @param claim       what was promised on Kafka; null for a job that did not come from there
/// @param drop        what was dropped into the inbox, by a name that nothing else dropped has; null for a job that did
///                    not come from there, and in files of versions that did not keep it
/// @param sequence    of the journal's line that announces this state
/// @param announced   that line's type and data, so that a restart can write it if the machine stopped before
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonIgnoreProperties(ignoreUnknown = true)
public record Job(int schema, JobId id, String name, String origin, String contentHash, String bundle,
        @Nullable String model, @Nullable String modelFolder, int priority, String created, long order, JobState state,
        String code, String message, List<Problem> problems, int attempt, int failures, long step, long steps,
        int pictures, @Nullable String device, @Nullable Child child, boolean cancelling, @Nullable Claim claim,
        @Nullable String drop, long sequence, @Nullable Announcement announced) {
    /// Raised when a reader of the version before could no longer make sense of the file.
    public static final int SCHEMA = 1;

    public Job {
        for (Object required : new Object[] {id, name, origin, contentHash, bundle, created, state, code, message}) {
            Objects.requireNonNull(required, "a job lacks what every job has");
        }
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
    public record Announcement(String type, ObjectNode data, String time) {
        public Announcement {
            Objects.requireNonNull(type);
            Objects.requireNonNull(data);
            Objects.requireNonNull(time);
        }
    }

    /// A job that has just been checked.
    public static Job queued(JobId id, String name, String origin, String contentHash, String bundle,
            @Nullable String model, int priority, String created, long steps, int pictures, @Nullable Claim claim) {
        return new Job(SCHEMA, id, name, origin, contentHash, bundle, model, null, priority, created, 0,
                JobState.QUEUED, "", "", List.of(), 0, 0, 0, steps, pictures, null, null, false, claim, null, 0, null);
    }

    /// What could not become a job.
    public static Job refused(JobId id, String name, String origin, String contentHash, String created,
            List<Problem> problems, @Nullable Claim claim) {
        return new Job(SCHEMA, id, name, origin, contentHash, "", null, null, 0, created, 0, JobState.REFUSED,
                problems.getFirst().code(), problems.getFirst().toString(), problems, 0, 0, 0, 0, 0, null, null,
                false, claim, null, 0, null);
    }

    @JsonIgnore
    public boolean isTerminal() {
        return state.isTerminal();
    }

    /// The same job in another state, with the reason for it; the trainer's process is gone with the old one.
    public Job in(JobState next, String why, String words) {
        Draft draft = new Draft(this);
        draft.state = next;
        draft.code = why;
        draft.message = words;
        draft.child = null;
        draft.cancelling = false;
        return draft.job();
    }

    /// Running as one attempt more, in this process.
    public Job startedAs(Child process, String onDevice) {
        Draft draft = new Draft(in(JobState.RUNNING, "", ""));
        draft.attempt++;
        draft.device = onDevice;
        draft.child = process;
        return draft.job();
    }

    public Job withProblems(List<Problem> found) {
        Draft draft = new Draft(this);
        draft.problems = found;
        return draft.job();
    }

    /// With its pipeline in this folder; see [#modelFolder].
    public Job withModelFolder(String found) {
        Draft draft = new Draft(this);
        draft.modelFolder = found;
        return draft.job();
    }

    public Job withPriority(int wanted) {
        Draft draft = new Draft(this);
        draft.priority = wanted;
        return draft.job();
    }

    public Job withFailures(int counted) {
        Draft draft = new Draft(this);
        draft.failures = counted;
        return draft.job();
    }

    /// With this many updates made and saved.
    public Job withStep(long done) {
        Draft draft = new Draft(this);
        draft.step = done;
        return draft.job();
    }

    /// As [#cancelling], for a reason.
    Job toBeCancelled(String reason) {
        Draft draft = new Draft(this);
        draft.cancelling = true;
        draft.message = reason;
        return draft.job();
    }

    /// After its bundle was cleaned away.
    Job withoutBundle() {
        Draft draft = new Draft(this);
        draft.bundle = "";
        return draft.job();
    }

    Job ordered(long place) {
        Draft draft = new Draft(this);
        draft.order = place;
        return draft.job();
    }

    /// As the answer to what was dropped into the inbox; null for a job from elsewhere.
    public Job withDrop(@Nullable String dropped) {
        Draft draft = new Draft(this);
        draft.drop = dropped;
        return draft.job();
    }

    /// The same job, promised anew.
    public Job withClaim(Claim promised) {
        Draft draft = new Draft(this);
        draft.claim = promised;
        return draft.job();
    }

    Job announcing(long at, Announcement event) {
        Draft draft = new Draft(this);
        draft.sequence = at;
        draft.announced = event;
        return draft.job();
    }

    /// What may change in a job, while it is being changed.
    private static final class Draft {
        private final Job before;
        private String bundle;
        private @Nullable String modelFolder;
        private int priority;
        private long order;
        private JobState state;
        private String code;
        private String message;
        private List<Problem> problems;
        private int attempt;
        private int failures;
        private long step;
        private @Nullable String device;
        private @Nullable Child child;
        private boolean cancelling;
        private @Nullable Claim claim;
        private @Nullable String drop;
        private long sequence;
        private @Nullable Announcement announced;

        private Draft(Job job) {
            before = job;
            bundle = job.bundle;
            modelFolder = job.modelFolder;
            priority = job.priority;
            order = job.order;
            state = job.state;
            code = job.code;
            message = job.message;
            problems = job.problems;
            attempt = job.attempt;
            failures = job.failures;
            step = job.step;
            device = job.device;
            child = job.child;
            cancelling = job.cancelling;
            claim = job.claim;
            drop = job.drop;
            sequence = job.sequence;
            announced = job.announced;
        }

        private Job job() {
            return new Job(SCHEMA, before.id, before.name, before.origin, before.contentHash, bundle, before.model,
                    modelFolder, priority, before.created, order, state, code, message, problems, attempt, failures,
                    step, before.steps, before.pictures, device, child, cancelling, claim, drop, sequence, announced);
        }
    }
}
