package nocturne.service.source;

import java.net.SocketTimeoutException;
import java.net.URI;
import nocturne.io.TransferWatch;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import org.jspecify.annotations.Nullable;

/// The answers to an address that brings no bundle.
///
/// They name its host and path only: the rest of an address may hold a password or a signature.
final class Refusals {
    /// Not allowed here, by the operator or by good sense.
    static final String REFUSED = "SOURCE_REFUSED";
    /// Allowed, but there is nothing to be had.
    static final String UNREADABLE = "SOURCE_UNREADABLE";
    static final String TOO_LARGE = "SOURCE_TOO_LARGE";
    static final String HASH_MISMATCH = "HASH_MISMATCH";
    /// Retryable: whom we asked is away, or has trouble of its own.
    static final String UNREACHABLE = "SOURCE_UNREACHABLE";
    /// Retryable: it took too long.
    static final String TOO_SLOW = "SOURCE_TOO_SLOW";

    private static final int MOST_CHARACTERS = 200;

    private Refusals() {}

    static UserMistake refused(URI uri, String what) {
        return new UserMistake(REFUSED, shown(uri), what);
    }

    static UserMistake withoutHash(URI uri) {
        return refused(uri, "needs the sha256 of the zip beside it, as sha256sum prints it");
    }

    static UserMistake unreadable(URI uri, String what) {
        return new UserMistake(UNREADABLE, shown(uri), what);
    }

    static UserMistake tooLarge(URI uri, long most) {
        return new UserMistake(TOO_LARGE, shown(uri), "is larger than %,d bytes, the most allowed".formatted(most));
    }

    static UserMistake mismatch(URI uri, String expected, String found) {
        return new UserMistake(HASH_MISMATCH, shown(uri),
                "has sha256 %s and not %s as announced; is it the file you mean?".formatted(found, expected));
    }

    static SickMachine unreachable(URI uri, String what, @Nullable Throwable cause) {
        return new SickMachine(UNREACHABLE, shown(uri) + ": " + what, cause);
    }

    static SickMachine tooSlow(URI uri, String what, @Nullable Throwable cause) {
        return new SickMachine(TOO_SLOW, shown(uri) + ": " + what, cause);
    }

    /// What a failure of a watched transfer means: ours, if the watch ended it.
    static SickMachine broken(URI uri, TransferWatch watch, Exception cause) {
        return watch.verdict().map(words -> tooSlow(uri, words, cause)).orElseGet(() -> broken(uri, cause));
    }

    /// A connection that ended before it was through.
    static SickMachine broken(URI uri, Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SocketTimeoutException) return tooSlow(uri, "nothing came for too long", failure);
        }
        return unreachable(uri, "the connection broke: " + failure.getMessage(), failure);
    }

    /// Scheme, host and path, in ASCII and short.
    static String shown(URI uri) {
        String host = uri.getHost() == null ? "" : uri.getHost();
        String port = uri.getPort() < 0 ? "" : ":" + uri.getPort();
        // The path may hold letters of any alphabet, and marks that turn the order of reading round.
        String path = String.valueOf(uri.getRawPath()).replaceAll("[^\\x21-\\x7e]", "?");
        String text = uri.getScheme() + "://" + host + port + path;
        return text.length() <= MOST_CHARACTERS ? text : text.substring(0, MOST_CHARACTERS - 3) + "...";
    }
}
