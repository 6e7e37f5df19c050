package nocturne.problem;

import java.time.Duration;

/// How long to wait before the next try: twice as long each time.
///
/// @param first   after the first failure
/// @param longest however many there were
public record Backoff(Duration first, Duration longest) {

    /// @param failures in a row, from 1
    public Duration after(int failures) {
        Duration wait = first;
        for (int i = 1; i < failures && wait.compareTo(longest) < 0; i++) wait = wait.multipliedBy(2);
        return wait.compareTo(longest) < 0 ? wait : longest;
    }
}
