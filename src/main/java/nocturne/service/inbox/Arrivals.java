package nocturne.service.inbox;

import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Remembers since when each dropped file has held still, by this process's own clock: what a file says about its time
/// was written by somebody else, and the time of day may jump.
///
/// Used by one thread.
final class Arrivals {
    /// A file that was not looked at for so long is gone.
    private static final long FORGOTTEN_NANOS = 60_000_000_000L;

    private final Map<String, Arrival> arrivals = new HashMap<>();
    private long lastSweep;

    /// What can be seen of a file without opening it.
    ///
    /// @param modified milliseconds since 1970, only compared with itself
    /// @param key      tells one file from the next under the same name; null where the file system has none
    record Look(long size, long modified, @Nullable Object key) {}

    private static final class Arrival {
        private Look look;
        private long stillSince;
        private long lastSeen;
        private boolean isWhole;

        Arrival(Look look, long nanos) {
            this.look = look;
            this.stillSince = nanos;
        }
    }

    /// Notes how a file looks now.
    ///
    /// @param nanos of a monotonic clock
    /// @return for how long it has looked like that, in nanoseconds; 0 at first sight
    long stillFor(String name, Look look, long nanos) {
        Arrival arrival = arrivals.computeIfAbsent(name, _ -> new Arrival(look, nanos));
        if (!arrival.look.equals(look)) {
            arrival.look = look;
            arrival.stillSince = nanos;
            arrival.isWhole = false;
        }
        arrival.lastSeen = nanos;
        forgetWhatIsGone(nanos);
        return nanos - arrival.stillSince;
    }

    /// Whether the file was found whole and has not changed since.
    boolean isWhole(String name) {
        Arrival arrival = arrivals.get(name);
        return arrival != null && arrival.isWhole;
    }

    void foundWhole(String name) {
        Objects.requireNonNull(arrivals.get(name)).isWhole = true;
    }

    private void forgetWhatIsGone(long nanos) {
        if (nanos - lastSweep < FORGOTTEN_NANOS) return;
        lastSweep = nanos;
        Iterator<Arrival> each = arrivals.values().iterator();
        while (each.hasNext()) {
            if (nanos - each.next().lastSeen > FORGOTTEN_NANOS) each.remove();
        }
    }
}
