package nocturne.service;

import jakarta.inject.Singleton;
import java.time.InstantSource;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import nocturne.job.JobId;
import nocturne.job.Ledger;
import nocturne.job.Retention;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Frees the room of jobs that ended long ago, every now and then.
@Singleton
final class Cleaning implements Part {
    private static final Logger LOG = LoggerFactory.getLogger(Cleaning.class);

    private final Retention retention;
    private final KeepConfig keep;
    private final ScheduledExecutorService timer =
            Executors.newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().name("cleaning").factory());
    private @Nullable ScheduledFuture<?> cleaning;

    Cleaning(Ledger ledger, KeepConfig keep, InstantSource clock) {
        this.retention = new Retention(ledger, keep.time(), keep.jobs(), clock);
        this.keep = keep;
    }

    @Override
    public int getOrder() {
        return PUBLISHING;
    }

    @Override
    public void start() {
        long millis = keep.every().toMillis();
        cleaning = timer.scheduleWithFixedDelay(this::clean, millis, millis, TimeUnit.MILLISECONDS);
    }

    private void clean() {
        try {
            Retention.Cleaned cleaned = retention.clean();
            for (JobId id : cleaned.jobs()) LOG.info("{} ended long ago; its bundle and state were deleted", id);
            for (String trouble : cleaned.troubles()) LOG.warn(trouble);
        } catch (RuntimeException e) {
            // One cleaning that failed must not be the last one.
            LOG.error("cleaning failed", e);
        }
    }

    @Override
    public void stop() {
        if (cleaning != null) cleaning.cancel(false);
        timer.shutdown();
        try {
            if (!timer.awaitTermination(10, TimeUnit.SECONDS)) LOG.info("a cleaning is still under way");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
