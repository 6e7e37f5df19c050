package nocturne.hub;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import nocturne.problem.UserMistake;

/// Where a hub answers.
///
/// @param address such as `https://huggingface.co`; may have a path, and has no `/` at its end
public record Endpoint(URI address) {
    /// Hugging Face itself.
    public static final String STANDARD = "https://huggingface.co";

    /// @param text as a person wrote it
    /// @throws UserMistake `HUB_REFUSED` if it is no address of a web server
    public static Endpoint of(String text) {
        try {
            URI uri = new URI(text.strip().replaceFirst("/+$", ""));
            String scheme = String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT);
            boolean plain = uri.getRawUserInfo() == null && uri.getRawQuery() == null && uri.getRawFragment() == null;
            if (plain && uri.getHost() != null && (scheme.equals("https") || scheme.equals("http"))) {
                return new Endpoint(uri);
            }
        } catch (URISyntaxException noAddress) {
            // Told below.
        }
        // Not repeated: it may hold a password.
        throw new UserMistake("HUB_REFUSED", "--endpoint",
                "must be the address of a hub, such as https://huggingface.co, without user, ? or #.");
    }

    /// An address at this hub.
    ///
    /// @param path  begins with `/`; not encoded yet
    /// @param query encoded; may be empty
    URI at(String path, String query) {
        return at(path, "", query);
    }

    /// The same, where a slash in the path's last part is no separator.
    ///
    /// @param path not encoded yet, ends with `/`
    /// @param last not encoded yet
    URI at(String path, String last, String query) {
        try {
            String encoded = encoded(path) + encoded(last).replace("/", "%2F");
            return new URI(address + encoded + (query.isEmpty() ? "" : "?" + query));
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException("no path: " + path, e);
        }
    }

    /// Every byte of its UTF-8 but letters, digits, `/` and the four marks that mean nothing in an address.
    private static String encoded(String path) {
        StringBuilder encoded = new StringBuilder();
        for (byte each : path.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (each & 0xff);
            boolean plain = c < 128 && (Character.isLetterOrDigit(c) || "/-._~".indexOf(c) >= 0);
            if (plain) encoded.append(c);
            else encoded.append("%%%02X".formatted(each & 0xff));
        }
        return encoded.toString();
    }

    /// Whether the token may go there: to the hub's own host and port, and only where nobody listens on the way.
    boolean mayHaveToken(URI uri) {
        return isSame(uri) && (isSecure(uri) || isThisMachine(uri));
    }

    /// Whether a redirect may lead there from here: never out of encryption.
    boolean mayLeadTo(URI uri) {
        boolean isWeb = "http".equalsIgnoreCase(uri.getScheme()) || isSecure(uri);
        return isWeb && uri.getHost() != null && uri.getRawUserInfo() == null && (isSecure(uri) || !isSecure(address));
    }

    private boolean isSame(URI uri) {
        return uri.getScheme().equalsIgnoreCase(address.getScheme())
                && address.getHost().equalsIgnoreCase(uri.getHost()) && port(uri) == port(address);
    }

    private static int port(URI uri) {
        int usual = isSecure(uri) ? 443 : 80;
        return uri.getPort() < 0 ? usual : uri.getPort();
    }

    private static boolean isSecure(URI uri) {
        return "https".equalsIgnoreCase(uri.getScheme());
    }

    private static boolean isThisMachine(URI uri) {
        return uri.getHost().equals("127.0.0.1") || uri.getHost().equals("localhost") || uri.getHost().equals("[::1]");
    }

    @Override
    public String toString() {
        return address.toString();
    }
}
