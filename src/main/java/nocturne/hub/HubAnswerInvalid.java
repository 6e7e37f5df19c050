package nocturne.hub;

import java.io.IOException;

/// A hub says what no hub should: asking again may bring better, trusting it may not.
final class HubAnswerInvalid extends IOException {
    private static final long serialVersionUID = 1L;

    /// @param what it says, to follow "the hub"
    HubAnswerInvalid(String what) {
        super("the hub " + what);
    }
}
