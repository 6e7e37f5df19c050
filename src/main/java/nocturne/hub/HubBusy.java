package nocturne.hub;

import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// A hub that answers: not now.
final class HubBusy extends IOException {
    private static final long serialVersionUID = 1L;

    private final @Nullable Duration after;

    /// @param after how long it asks to be left alone; null where it does not say
    HubBusy(int status, @Nullable Duration after) {
        super("the hub answers with status " + status);
        this.after = after;
    }

    @Nullable Duration after() {
        return after;
    }
}
