package nocturne.service;

import com.fasterxml.jackson.annotation.JsonValue;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import nocturne.event.Scrubber;
import nocturne.problem.UserMistake;

/// A password or key. It prints as `***`, and from the moment it is known the [Scrubber] replaces it in every event,
/// file and log line of this process.
///
/// It comes from a file or from the environment, never from a command line, which everybody on the machine can read.
///
/// @param reveal the text itself, for the one who must show it to somebody
public record Secret(String reveal) {
    private static final int LONGEST = 1 << 16;

    public Secret {
        if (reveal.isEmpty()) throw new IllegalArgumentException("an empty secret");
        Scrubber.hide(reveal);
    }

    /// What a file holds, without the line end that editors add.
    ///
    /// @param what it is for, such as `nocturne.webhooks[0].secret-file`
    /// @throws UserMistake `SECRET_MISSING` if there is none; the message does not repeat what was found
    public static Secret inFile(Path file, String what) {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(LONGEST + 1);
            if (bytes.length > LONGEST) throw missing(what, file + " is far too long for a secret");
            return of(new String(bytes, StandardCharsets.UTF_8), what, file + " is empty");
        } catch (IOException e) {
            throw missing(what, file + " cannot be read: " + e.getClass().getSimpleName());
        }
    }

    /// What a variable of the environment holds.
    ///
    /// @throws UserMistake `SECRET_MISSING`
    public static Secret inEnvironment(String variable, Map<String, String> environment, String what) {
        String message = "the environment has no " + variable;
        return of(environment.getOrDefault(variable, ""), what, message);
    }

    private static Secret of(String text, String what, String otherwise) {
        String secret = text.strip();
        if (secret.isEmpty()) throw missing(what, otherwise);
        return new Secret(secret);
    }

    private static UserMistake missing(String what, String why) {
        return new UserMistake("SECRET_MISSING", what, why);
    }

    @Override
    @JsonValue
    public String toString() {
        return "***";
    }
}
