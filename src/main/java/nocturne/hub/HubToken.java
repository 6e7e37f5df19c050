package nocturne.hub;

import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import nocturne.problem.UserMistake;

/// What shows a hub who asks. It prints as `***`.
///
/// @param reveal the text itself, for the request's header
public record HubToken(String reveal) {
    private static final Pattern VISIBLE = Pattern.compile("[\\x21-\\x7e]{1,4096}");

    /// The one in `HF_TOKEN`, if there is one.
    ///
    /// @throws UserMistake `SECRET_MISSING` if it cannot stand in a header; the message does not repeat it
    public static Optional<HubToken> of(Map<String, String> environment) {
        String text = environment.getOrDefault("HF_TOKEN", "").strip();
        if (text.isEmpty()) return Optional.empty();
        if (!VISIBLE.matcher(text).matches()) {
            throw new UserMistake("SECRET_MISSING", "HF_TOKEN",
                    "holds something else than a token: letters, digits and signs in one line, please.");
        }
        return Optional.of(new HubToken(text));
    }

    @Override
    public String toString() {
        return "***";
    }
}
