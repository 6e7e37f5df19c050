package nocturne.service.slot;

import java.time.Duration;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// Notices when a trainer no longer gets anywhere: its heart stands still, or beats on while no work gets done.
///
/// Age is measured here, by a clock that only runs forwards, from the moment a change was seen. No time stamp of a file
/// or of the trainer plays a part.
final class Watchdog {
    /// If we ourselves did not look for so long, the whole machine stood still, and the trainer with it.
    private static final long ASLEEP_NANOS = Duration.ofSeconds(20).toNanos();

    private final HangLimits limits;
    private final long pid;
    private final LongSupplier nanos;
    private @Nullable Beat last;
    private long lived;
    private long worked;
    private long looked;

    /// @param pid of the trainer; a beat that somebody else left is none
    Watchdog(HangLimits limits, long pid, LongSupplier nanos) {
        this.limits = limits;
        this.pid = pid;
        this.nanos = nanos;
        looked = nanos.getAsLong();
        lived = looked;
        worked = looked;
    }

    /// @param beat           what stands in the file now
    /// @param secondsPerStep the usual step, 0 if none was made yet
    /// @return what is wrong, in words; empty while all is well
    Optional<String> look(Optional<Beat> beat, double secondsPerStep) {
        long now = nanos.getAsLong();
        if (now - looked > ASLEEP_NANOS) {
            lived = now;
            worked = now;
        }
        looked = now;
        beat.filter(seen -> seen.pid() == pid).ifPresent(seen -> follow(seen, now));

        Beat known = last;
        String phase = known == null ? "loading" : known.phase();
        Duration limit = limits.of(phase, secondsPerStep);
        if (known != null && now - lived > limits.silence().toNanos()) {
            return Optional.of("showed no sign of life for %d s while %s at step %d".formatted(
                    Duration.ofNanos(now - lived).toSeconds(), phase, known.step()));
        }
        if (now - worked > limit.toNanos()) {
            return Optional.of("got nothing done for %d s while %s at step %d".formatted(
                    Duration.ofNanos(now - worked).toSeconds(), phase, known == null ? 0 : known.step()));
        }
        return Optional.empty();
    }

    private void follow(Beat seen, long now) {
        Beat before = last;
        if (before == null || seen.beat() != before.beat()) lived = now;
        if (before == null || seen.isFurtherThan(before)) worked = now;
        last = seen;
    }
}
