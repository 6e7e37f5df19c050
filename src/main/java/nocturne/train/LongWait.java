package nocturne.train;

import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What to say where a run will take long, and accumulation is why (S1-77).
final class LongWait {
    /// Steps after which the pace is known.
    static final int SETTLED = 20;
    /// Where nobody gave a limit: a night.
    private static final Duration NIGHT = Duration.ofHours(12);

    private LongWait() {}

    /// @param step           that was just made
    /// @param secondsPerStep lately
    /// @param left           of the time that the run may take, or null where there is no limit
    static Optional<String> notice(int step, int steps, int accumulation, double secondsPerStep,
            @Nullable Duration left) {
        Duration wait = Duration.ofSeconds(Math.round(secondsPerStep * (steps - step)));
        Duration patience = left == null ? NIGHT : left;
        if (accumulation == 1 || wait.compareTo(patience) <= 0) return Optional.empty();
        String measure = left == null ? "that is more than a night"
                : String.format(Locale.ROOT, "only %.1f are allowed", hours(left));
        return Optional.of(String.format(Locale.ROOT,
                "%d of %d steps are left, each of %d micro-steps of %.1f s: about %.1f hours, and %s. Halving"
                        + " gradient_accumulation halves that, for rougher steps; fewer steps shorten it as well.",
                steps - step, steps, accumulation, secondsPerStep / accumulation, hours(wait), measure));
    }

    private static double hours(Duration time) {
        return time.toSeconds() / 3600.0;
    }
}
