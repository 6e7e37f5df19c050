package nocturne.train;

import java.time.Duration;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// How long the run has been at it, all attempts together, and whether that is enough.
final class RunTime {
    private final Duration before;
    private final @Nullable Duration limit;
    private final LongSupplier nanos;
    private final long started;

    /// @param before what earlier attempts took, as far as they could say
    /// @param limit  null for none
    /// @param nanos  a clock that only runs forwards, such as `System::nanoTime`
    RunTime(Duration before, @Nullable Duration limit, LongSupplier nanos) {
        this.before = before;
        this.limit = limit;
        this.nanos = nanos;
        this.started = nanos.getAsLong();
    }

    Duration soFar() {
        return before.plusNanos(nanos.getAsLong() - started);
    }

    /// Of the time allowed, nothing at least; null where there is no limit.
    @Nullable Duration left() {
        if (limit == null) return null;
        Duration left = limit.minus(soFar());
        return left.isNegative() ? Duration.ZERO : left;
    }

    boolean isUp() {
        return limit != null && soFar().compareTo(limit) >= 0;
    }
}
