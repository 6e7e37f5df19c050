package nocturne.service.publish;

import java.time.Duration;

/// How long to wait before the next try: twice as long each time.
///
/// @param first   after the first failure
/// @param longest however many there were
record Backoff(Duration first, Duration longest) {
    private static final int ENOUGH_DOUBLINGS = 30;

    /// @param failures in a row, at least one
    Duration after(int failures) {
        Duration wait = first.multipliedBy(1L << Math.clamp(failures - 1L, 0, ENOUGH_DOUBLINGS));
        return wait.compareTo(longest) < 0 ? wait : longest;
    }
}
