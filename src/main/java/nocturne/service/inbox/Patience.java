package nocturne.service.inbox;

import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.function.LongSupplier;
import nocturne.problem.Backoff;

/// Waits longer and longer between tries while this machine cannot take anything, such as with a full disk.
@Singleton
final class Patience {
    private static final Backoff BACKOFF = new Backoff(Duration.ofSeconds(2), Duration.ofMinutes(2));

    private final LongSupplier nanos;
    private int failures;
    private long since;

    @Inject
    Patience() {
        this(System::nanoTime);
    }

    Patience(LongSupplier nanos) {
        this.nanos = nanos;
    }

    /// It did not work.
    ///
    /// @return how long to wait now
    synchronized Duration failed() {
        failures++;
        since = nanos.getAsLong();
        return BACKOFF.after(failures);
    }

    /// @return whether it had failed before
    synchronized boolean worked() {
        boolean hadFailed = failures > 0;
        failures = 0;
        return hadFailed;
    }

    synchronized boolean isOver() {
        return failures == 0 || nanos.getAsLong() - since >= BACKOFF.after(failures).toNanos();
    }
}
