package nocturne.service.pull;

import java.util.Map;
import nocturne.hub.Endpoint;
import nocturne.hub.HubToken;
import nocturne.hub.Patience;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import org.jspecify.annotations.Nullable;

/// Which hub is asked, and how.
///
/// @param token for the endpoint; null for none
record HubAccess(Endpoint endpoint, @Nullable HubToken token, Patience patience) {

    /// As `nocturne pull` does: `HF_ENDPOINT`, `HF_TOKEN`.
    ///
    /// @throws UserMistake if one of them cannot be used
    static HubAccess of(Map<String, String> environment) {
        String asked = environment.getOrDefault("HF_ENDPOINT", "");
        return new HubAccess(endpoint(asked.isBlank() ? Endpoint.STANDARD : asked),
                HubToken.of(environment).orElse(null), Patience.usual());
    }

    /// Nobody has typed an option here: what is wrong is the variable.
    private static Endpoint endpoint(String text) {
        try {
            return Endpoint.of(text);
        } catch (UserMistake mistake) {
            Problem problem = mistake.problems().getFirst();
            throw new UserMistake(problem.code(), "HF_ENDPOINT", problem.what());
        }
    }
}
