package nocturne.service.log;

import jakarta.inject.Singleton;
import nocturne.job.Job;
import nocturne.job.Ledger;
import nocturne.service.Part;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Says one line about every change of a job's state.
@Singleton
final class JobLines implements Part {
    private static final Logger LOG = LoggerFactory.getLogger(JobLines.class);

    private final Ledger ledger;

    JobLines(Ledger ledger) {
        this.ledger = ledger;
    }

    @Override
    public int getOrder() {
        return SHOWING;
    }

    @Override
    public void start() {
        ledger.listen(job -> LOG.info("{} {}{}", job.id(), job.state().word(), more(job)));
    }

    @Override
    public void stop() {
        // Until the very last change.
    }

    private static String more(Job job) {
        return switch (job.state()) {
            case QUEUED -> job.attempt() == 0
                    ? ": %s, %d pictures, %d steps, from %s".formatted(job.name(), job.pictures(), job.steps(),
                            job.origin())
                    : " again at step %d of %d%s".formatted(job.step(), job.steps(), why(job));
            case RUNNING -> " on %s, attempt %d, from step %d of %d".formatted(job.device(), job.attempt(), job.step(),
                    job.steps());
            case COMPLETED -> " after %d steps, attempt %d".formatted(job.steps(), job.attempt());
            case PUBLISHING -> "";
            case PARKED, REFUSED, FAILED, CANCELLED, SUPERSEDED -> why(job);
        };
    }

    private static String why(Job job) {
        if (job.code().isEmpty() && job.message().isEmpty()) return "";
        return ": " + (job.code() + " " + job.message()).strip();
    }
}
