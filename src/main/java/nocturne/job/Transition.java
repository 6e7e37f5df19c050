package nocturne.job;

import java.util.List;
import nocturne.event.Event;
import nocturne.problem.Problem;
import org.jspecify.annotations.Nullable;

/// A step in a job's life: from which states it can be made, what the job is afterwards, and the event that says so.
///
/// [Ledger#advance(JobId, Transition)] makes it, or leaves the job as it is where it is in no state to make it: somebody
/// may have cancelled it a moment before.
public sealed interface Transition {

    /// A trainer begins to work on it.
    record Start(Job.Child child, String device) implements Transition {}

    /// The trainer has left and the job will go on, which is nobody's fault: the host stops, its hours are over, its
    /// device is sick.
    ///
    /// @param step updates made and saved
    record Interrupt(long step, String code, String message) implements Transition {}

    /// The attempt failed in a way that another one may not. It counts: too many of them are the end.
    ///
    /// @param step updates made and saved
    record Stumble(long step, String code, String message, List<Problem> problems) implements Transition {
        public Stumble {
            problems = List.copyOf(problems);
        }
    }

    /// It waits for something other than a device.
    record Park(String code, String message) implements Transition {}

    /// What it was parked for is there.
    record Release() implements Transition {}

    /// All updates are made; the last files are on their way. Not announced: [Complete] is.
    record Train(long step) implements Transition {}

    /// All is visible in the outbox.
    record Complete(Event.Completed completed) implements Transition {}

    /// No further attempt would end better.
    record Fail(String code, String message, List<Problem> problems) implements Transition {
        public Fail {
            problems = List.copyOf(problems);
        }
    }

    /// Somebody wants its end, and no trainer works on it any more.
    record Cancel(String reason) implements Transition {}

    /// Somebody wants another try of what failed or was cancelled; what it saved is used.
    record Retry() implements Transition {}

    /// Another host has taken it over.
    record Supersede(String host, int attempt) implements Transition {}

    /// The job afterwards; the same object if it is in no state for this.
    ///
    /// @param attempts how many that count a job may have
    default Job from(Job job, int attempts) {
        if (!isPossibleIn(job.state())) return job;
        return switch (this) {
            case Start(Job.Child child, String device) -> job.startedAs(child, device);
            case Interrupt(long step, String code, String message) ->
                job.withStep(Math.max(step, job.step())).in(JobState.QUEUED, code, message);
            case Stumble(long step, String code, String message, List<Problem> problems) -> {
                Job counted = job.withStep(Math.max(step, job.step())).withFailures(job.failures() + 1);
                yield counted.failures() < attempts ? counted.in(JobState.QUEUED, code, message)
                        : counted.in(JobState.FAILED, code, message).withProblems(problems);
            }
            case Park(String code, String message) -> job.in(JobState.PARKED, code, message);
            case Release() -> job.in(JobState.QUEUED, "", "");
            case Train(long step) -> job.withStep(step).in(JobState.PUBLISHING, "", "");
            case Complete(Event.Completed completed) ->
                job.withStep(completed.step()).in(JobState.COMPLETED, "", "");
            case Fail(String code, String message, List<Problem> problems) ->
                job.in(JobState.FAILED, code, message).withProblems(problems);
            case Cancel(String reason) -> job.in(JobState.CANCELLED, "CANCELLED", reason);
            case Retry() -> job.bundle().isEmpty() ? job
                    : job.in(JobState.QUEUED, "", "").withProblems(List.of()).withFailures(0).withRestarts(0);
            case Supersede(String host, int attempt) ->
                job.in(JobState.SUPERSEDED, "SUPERSEDED", "taken over by " + host + " as attempt " + attempt);
        };
    }

    /// Whether a job in this state can make it.
    default boolean isPossibleIn(JobState state) {
        return switch (this) {
            case Start _ -> state == JobState.QUEUED;
            case Interrupt _, Train _ -> state == JobState.RUNNING;
            case Stumble _ -> state == JobState.RUNNING || state == JobState.PUBLISHING;
            case Park _ -> state == JobState.QUEUED || state == JobState.RUNNING;
            case Release _ -> state == JobState.PARKED;
            case Complete _ -> state == JobState.PUBLISHING;
            case Fail _, Cancel _, Supersede _ -> !state.isTerminal();
            case Retry _ -> state == JobState.FAILED || state == JobState.CANCELLED;
        };
    }

    /// What the world is told; null for nothing.
    ///
    /// @param job as [#from] made it
    default @Nullable Event event(Job job) {
        return switch (this) {
            case Start(_, String device) -> new Event.Started(job.name(), job.steps(), job.pictures(), device);
            case Interrupt(_, String code, String message) -> new Event.Interrupted(job.step(), code, message);
            case Stumble(_, String code, String message, List<Problem> problems) ->
                job.state() == JobState.FAILED ? new Event.Failed(code, message, problems)
                        : new Event.Interrupted(job.step(), code, message);
            case Park(String code, String message) -> new Event.Parked(code, message);
            case Release _, Retry _ -> queued(job);
            case Train _ -> null;
            case Complete(Event.Completed completed) -> completed;
            case Fail(String code, String message, List<Problem> problems) ->
                new Event.Failed(code, message, problems);
            case Cancel(String reason) -> new Event.Cancelled(reason);
            case Supersede(String host, int attempt) -> new Event.Superseded(host, attempt);
        };
    }

    /// The event that says a job waits for a device.
    static Event.Queued queued(Job job) {
        return new Event.Queued(job.name(), job.origin(), job.contentHash(), job.steps(), job.pictures());
    }
}
