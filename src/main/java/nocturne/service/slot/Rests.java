package nocturne.service.slot;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import nocturne.problem.Backoff;

/// How long something that failed rests before it is tried again: longer each time, and not all at the same moment.
///
/// What rests here is forgotten when the service ends: a restart is somebody's wish to try again.
///
/// @param <K> what fails
final class Rests<K> {
    private final Backoff backoff;
    private final LongSupplier nanos;
    private final Map<K, Long> until = new ConcurrentHashMap<>();

    /// @param nanos a clock that only runs forwards
    Rests(Backoff backoff, LongSupplier nanos) {
        this.backoff = backoff;
        this.nanos = nanos;
    }

    /// @param failures in a row, from 1
    void failed(K what, int failures) {
        rest(what, length(what, failures));
    }

    void rest(K what, Duration length) {
        until.put(what, nanos.getAsLong() + length.toNanos());
    }

    void forget(K what) {
        until.remove(what);
    }

    boolean rests(K what) {
        Long end = until.get(what);
        return end != null && end - nanos.getAsLong() > 0;
    }

    /// Until the next one has rested enough; `otherwise` if none rests.
    Duration untilNext(Duration otherwise) {
        long now = nanos.getAsLong();
        return until.values().stream().map(end -> end - now).filter(left -> left > 0).min(Long::compare)
                .map(Duration::ofNanos).orElse(otherwise);
    }

    /// Between a half and the whole of the doubled time. What decides is the name and the count, not a die, so that a
    /// test and a second host can repeat it.
    Duration length(K what, int failures) {
        int mixed = (what.hashCode() * 31 + failures) * 0x9E3779B9;
        double part = 0.5 + 0.5 * (mixed >>> 16) / 65536.0;
        return Duration.ofMillis(Math.round(backoff.after(failures).toMillis() * part));
    }
}
