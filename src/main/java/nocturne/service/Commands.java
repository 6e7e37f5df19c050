package nocturne.service;

import jakarta.inject.Singleton;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.util.Optional;
import nocturne.event.Event;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.job.Ledger;
import nocturne.problem.SickMachine;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Carries out what people and programs want of jobs. A wish that comes twice, or too late, or for a job that nobody
/// knows, changes nothing.
@Singleton
final class Commands implements CommandDesk {
    private static final Logger LOG = LoggerFactory.getLogger(Commands.class);
    static final String REFUSED = "COMMAND_REFUSED";

    private final Ledger ledger;
    private final RunningJobs running;
    private final HostJournal host;

    Commands(Ledger ledger, RunningJobs running, HostJournal host) {
        this.ledger = ledger;
        this.running = running;
        this.host = host;
    }

    @Override
    public void run(Command command, String origin) {
        String from = Wording.line(origin, Wording.LONGEST_NAME);
        try {
            switch (command) {
                case Command.Cancel(JobId id) -> known(id, "cancel", from).ifPresent(job -> cancel(job, from));
                case Command.Retry(JobId id) -> known(id, "retry", from).ifPresent(job -> retry(job, from));
                case Command.Prioritise(JobId id, int priority) ->
                    known(id, "priority", from).ifPresent(job -> prioritise(job, priority, from));
                case Command.Drain(String reason) -> {
                    LOG.info("drain, says {}: {}", from, reason);
                    running.drain(reason);
                }
            }
        } catch (SickMachine machine) {
            refuse("%s could not be carried out: %s. Say it again".formatted(command, machine.getMessage()), from);
        }
    }

    private void cancel(Job job, String from) {
        if (job.isTerminal()) {
            LOG.info("cancel of {}, says {}: it is {} already", job.id(), from, job.state().word());
            return;
        }
        LOG.info("cancel of {}, says {}", job.id(), from);
        // The wish is durable before anybody acts on it. Then the trainer ends, and the job with it.
        Job now = ledger.cancel(job.id(), "cancelled by " + from);
        if (now.state() == JobState.RUNNING) running.cancel(job.id());
    }

    private void retry(Job job, String from) {
        if (!job.isTerminal()) {
            LOG.info("retry of {}, says {}: it is {}", job.id(), from, job.state().word());
            return;
        }
        boolean isThere = !job.bundle().isEmpty()
                && Files.isDirectory(ledger.work().job(job.id()).resolve(job.bundle()), LinkOption.NOFOLLOW_LINKS);
        switch (job.state()) {
            case FAILED, CANCELLED -> {
                if (isThere) {
                    ledger.retry(job.id());
                    LOG.info("retry of {}, says {}", job.id(), from);
                } else {
                    refuse("%s cannot be tried again: its files were cleaned away. Drop the bundle again"
                            .formatted(job.id()), from);
                }
            }
            case REFUSED -> refuse("%s cannot be tried again: its bundle could not be used. Mend it and drop it again"
                    .formatted(job.id()), from);
            default -> refuse("%s cannot be tried again: it is %s. Drop the bundle again with rerun"
                    .formatted(job.id(), job.state().word()), from);
        }
    }

    private void prioritise(Job job, int priority, String from) {
        LOG.info("priority {} for {}, says {}", priority, job.id(), from);
        ledger.note(job.id(), now -> now.withPriority(priority));
    }

    private Optional<Job> known(JobId id, String wish, String from) {
        Optional<Job> job = ledger.job(id);
        if (job.isEmpty()) refuse("%s of %s: there is no such job on this host".formatted(wish, id), from);
        return job;
    }

    private void refuse(String why, String from) {
        LOG.warn("{} ({})", why, from);
        try {
            host.record(new Event.NoticeGiven(REFUSED, "%s (%s)".formatted(why, from)));
        } catch (SickMachine unwritable) {
            LOG.warn("could not be written to the host's journal: {}", unwritable.getMessage());
        }
    }
}
