package nocturne.service.log;

import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The last warning or error in the log, for `status.json`.
///
/// @param time    of day, for people
/// @param message as in the log
public record LastTrouble(Instant time, String message) {
    private static volatile @Nullable LastTrouble last;

    /// Empty if all has been well.
    public static Optional<LastTrouble> said() {
        return Optional.ofNullable(last);
    }

    static void note(Instant time, String message) {
        last = new LastTrouble(time, message);
    }
}
