package nocturne.service.pull;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import nocturne.event.Event;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.job.Ledger;
import nocturne.problem.UserMistake;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The queued jobs that wait for one model, and what they are told of it.
final class Waiting {
    /// Why such a job waits.
    static final String CODE = "MODEL_PULL";
    private static final Logger LOG = LoggerFactory.getLogger(Waiting.class);

    private final Ledger ledger;
    private final Predicate<Job> waits;
    private final Set<JobId> told = new HashSet<>();
    private String last = "";

    Waiting(Ledger ledger, Predicate<Job> waits) {
        this.ledger = ledger;
        this.waits = waits;
    }

    boolean isAnybodyThere() {
        return !jobs().isEmpty();
    }

    private List<Job> jobs() {
        return ledger.stream().filter(this::isWaiting).toList();
    }

    private boolean isWaiting(Job job) {
        return job.state() == JobState.QUEUED && waits.test(job);
    }

    /// Tells all of them how it stands, in the log, in `job.json` and in their journals.
    synchronized void tell(String text) {
        last = text;
        LOG.info("{}", text);
        for (Job job : jobs()) tell(job, text);
    }

    /// Tells one how it stands that has come since.
    synchronized void greet(Job job) {
        if (!last.isEmpty() && !told.contains(job.id())) tell(job, last);
    }

    /// It may have been cancelled since it was looked for, and after its last word nothing is said.
    private void tell(Job job, String text) {
        try {
            ledger.note(job.id(), now -> isWaiting(now) ? now.in(JobState.QUEUED, CODE, text) : now);
            ledger.record(job.id(), this::isWaiting, new Event.NoticeGiven(CODE, text));
            told.add(job.id());
        } catch (RuntimeException unwritable) {
            LOG.warn("{} cannot be told so: {}", job.id(), unwritable.getMessage());
        }
    }

    /// The model is there: those who heard that it was not hear that too, each of them once.
    ///
    /// @return whether all of them could be told
    synchronized boolean arrived(Path folder) {
        last = "";
        boolean all = true;
        for (Job job : jobs()) {
            try {
                ledger.note(job.id(), now -> isWaiting(now) ? ready(now, folder) : now);
                if (!told.contains(job.id())) continue;
                ledger.record(job.id(), now -> !now.isTerminal(), new Event.NoticeGiven(CODE, "its model is here now"));
                told.remove(job.id());
            } catch (RuntimeException unwritable) {
                LOG.warn("{} cannot be told yet that its model is here: {}", job.id(), unwritable.getMessage());
                all = false;
            }
        }
        return all;
    }

    /// In its folder, which may be another one: somebody may have put the model elsewhere meanwhile.
    private static Job ready(Job job, Path folder) {
        Job ready = job.withModelFolder(folder.toString());
        return job.code().equals(CODE) ? ready.in(JobState.QUEUED, "", "") : ready;
    }

    /// The model will never be there.
    synchronized void failed(UserMistake why) {
        for (Job job : jobs()) {
            String code = why.problems().getFirst().code();
            String message = "%s Then try the job again: ./nocturne retry %s".formatted(why.getMessage(), job.id());
            LOG.warn("{} cannot have its model: {}", job.id(), message);
            ledger.advance(job.id(), now -> isWaiting(now)
                    ? now.withProblems(why.problems()).in(JobState.FAILED, code, message) : now,
                    new Event.Failed(code, message, why.problems()));
        }
    }
}
