package nocturne.service.inbox;

import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.function.LongSupplier;

/// Waits longer and longer between tries while this machine cannot take anything, such as with a full disk.
@Singleton
final class Patience {
    private static final Duration FIRST = Duration.ofSeconds(2);
    private static final Duration LONGEST = Duration.ofMinutes(2);

    private final LongSupplier nanos;
    private long waitNanos;
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
        waitNanos = waitNanos == 0 ? FIRST.toNanos() : Math.min(2 * waitNanos, LONGEST.toNanos());
        since = nanos.getAsLong();
        return Duration.ofNanos(waitNanos);
    }

    /// @return whether it had failed before
    synchronized boolean worked() {
        boolean hadFailed = waitNanos > 0;
        waitNanos = 0;
        return hadFailed;
    }

    synchronized boolean isOver() {
        return waitNanos == 0 || nanos.getAsLong() - since >= waitNanos;
    }
}
