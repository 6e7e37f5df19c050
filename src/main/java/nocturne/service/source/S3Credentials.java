package nocturne.service.source;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.UnaryOperator;
import nocturne.problem.SickMachine;
import org.jspecify.annotations.Nullable;

/// The key to a store. It prints as `***`, and stands in no message.
///
/// @param accessKey    its id
/// @param secretKey    the key
/// @param sessionToken empty for a lasting key
record S3Credentials(String accessKey, String secretKey, String sessionToken) {

    /// @param environment the value of a variable, or null
    /// @return empty if no key is configured at all
    /// @throws SickMachine `SOURCE_MISCONFIGURED` if half of one is
    static Optional<S3Credentials> of(S3Config config, UnaryOperator<@Nullable String> environment) {
        Path id = config.accessKeyFile();
        Path key = config.secretKeyFile();
        if (id != null && key != null) return Optional.of(new S3Credentials(read(id), read(key), ""));
        if (id != null || key != null) {
            throw misconfigured("one of access-key-file and secret-key-file is set, the other is not", null);
        }
        String fromId = environment.apply("AWS_ACCESS_KEY_ID");
        String fromKey = environment.apply("AWS_SECRET_ACCESS_KEY");
        if (fromId == null && fromKey == null) return Optional.empty();
        if (fromId == null || fromKey == null) {
            throw misconfigured("one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set, the other is not", null);
        }
        String token = environment.apply("AWS_SESSION_TOKEN");
        return Optional.of(new S3Credentials(fromId, fromKey, token == null ? "" : token));
    }

    private static String read(Path file) {
        try {
            return Files.readString(file).strip();
        } catch (IOException e) {
            throw misconfigured("%s cannot be read".formatted(file), e);
        }
    }

    private static SickMachine misconfigured(String what, @Nullable Throwable cause) {
        return new SickMachine("SOURCE_MISCONFIGURED", "nocturne.sources.s3: " + what, cause);
    }

    @Override
    public String toString() {
        return "S3Credentials[***]";
    }
}
