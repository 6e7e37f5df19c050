package nocturne.service;

import java.util.List;
import java.util.Optional;
import nocturne.job.Job;
import nocturne.problem.Problem;

/// Where every bundle becomes a job, or an answer why it cannot.
public interface Intake {

    /// What became of a bundle.
    sealed interface Verdict {
        /// It is a job now, durably.
        record Accepted(Job job) implements Verdict {}

        /// The same bundle was there before; this is the job it became.
        record Duplicate(Job job) implements Verdict {}

        /// It cannot be used. `outbox/<job>/refused.json` says why.
        record Refused(Job job, List<Problem> problems) implements Verdict {
            public Refused {
                problems = List.copyOf(problems);
            }
        }
    }

    /// Looks at a bundle and takes it, or refuses it with everything that is wrong. Returns when the answer is durable.
    /// The same drop or claim gets the same answer, however often it is asked about.
    ///
    /// @throws nocturne.problem.SickMachine if this machine cannot take it now (disk full, ...): nothing has changed,
    ///     and the bundle may be offered again
    Verdict take(Incoming bundle);

    /// What was answered before to the same drop or claim, for whoever would have to fetch the bundle first.
    Optional<Verdict> answerGivenBefore(Incoming bundle);

    /// Refuses what could not even be looked at, such as half an upload or an address where nothing is. The answer
    /// stands where [#take] would have put it.
    ///
    /// @return an answer given before to the same drop or claim, if there was one; else the refusal
    /// @param bundle its source is not touched
    /// @throws nocturne.problem.SickMachine as above
    Verdict refuse(Incoming bundle, List<Problem> problems);
}
