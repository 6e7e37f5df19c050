package nocturne.service.intake;

import jakarta.inject.Singleton;
import java.util.Locale;
import nocturne.event.Event;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.job.Ledger;
import nocturne.problem.SickMachine;
import nocturne.service.CommandDesk;
import nocturne.service.HostJournal;
import nocturne.service.RunningJobs;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Carries out what people and programs wish for jobs.
@Singleton
final class WishDesk implements CommandDesk {
    private static final Logger LOG = LoggerFactory.getLogger(WishDesk.class);

    private final Ledger ledger;
    private final RunningJobs running;
    private final HostJournal host;

    WishDesk(Ledger ledger, RunningJobs running, HostJournal host) {
        this.ledger = ledger;
        this.running = running;
        this.host = host;
    }

    @Override
    public void run(Command command, String origin) {
        try {
            switch (command) {
                case Command.Cancel(JobId id) -> cancel(id, origin);
                case Command.Retry(JobId id) -> retry(id, origin);
                case Command.Prioritise(JobId id, int priority) -> prioritise(id, priority, origin);
                case Command.Drain(String reason) -> running.drain(reason);
            }
        } catch (SickMachine machine) {
            LOG.warn("{}: {}", origin, machine.getMessage());
        }
    }

    private void cancel(JobId id, String origin) {
        if (isUnknown(id, origin)) return;
        Job job = ledger.cancel(id, "asked for by " + origin);
        if (job.isTerminal()) {
            if (job.state() != JobState.CANCELLED) notDone(job, origin, "cancelled");
        } else {
            running.cancel(id);
        }
    }

    private void retry(JobId id, String origin) {
        if (isUnknown(id, origin)) return;
        Job before = ledger.job(id).orElseThrow();
        Job after = ledger.retry(id);
        if (after.state() != JobState.QUEUED || before.state() == JobState.QUEUED) notDone(after, origin, "retried");
    }

    private void prioritise(JobId id, int priority, String origin) {
        if (isUnknown(id, origin)) return;
        if (ledger.job(id).orElseThrow().isTerminal()) notDone(ledger.job(id).orElseThrow(), origin, "moved up or down");
        else ledger.note(id, job -> job.withPriority(priority));
    }

    private boolean isUnknown(JobId id, String origin) {
        if (ledger.job(id).isPresent()) return false;
        notice("JOB_UNKNOWN", "%s names job %s, which is not here".formatted(origin, id));
        return true;
    }

    private void notDone(Job job, String origin, String wish) {
        notice("COMMAND_WITHOUT_EFFECT", String.format(Locale.ROOT, "%s: job %s is %s and cannot be %s", origin, job.id(),
                job.state().word(), wish));
    }

    private void notice(String code, String message) {
        LOG.info("{}", message);
        host.record(new Event.NoticeGiven(code, message));
    }
}
