package nocturne.service.source;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import nocturne.service.Secret;
import org.jspecify.annotations.Nullable;

/// The key to a store.
///
/// @param accessKey    its id
/// @param secretKey    the key
/// @param sessionToken null for a lasting key
record S3Credentials(String accessKey, Secret secretKey, @Nullable Secret sessionToken) {
    private static final String SECRET_KEY_FILE = "nocturne.sources.s3.secret-key-file";

    /// @return empty if no key is configured at all
    /// @throws SickMachine `SOURCE_MISCONFIGURED` if half of one is: that is not the fault of whoever sent the address
    static Optional<S3Credentials> of(S3Config config, Map<String, String> environment) {
        Path id = config.accessKeyFile();
        Path key = config.secretKeyFile();
        boolean inEnvironment = environment.containsKey("AWS_ACCESS_KEY_ID")
                || environment.containsKey("AWS_SECRET_ACCESS_KEY");
        try {
            if (id != null && key != null) {
                return Optional.of(new S3Credentials(Files.readString(id).strip(),
                        Secret.inFile(key, SECRET_KEY_FILE), null));
            }
            if (id != null || key != null) {
                throw misconfigured("one of access-key-file and secret-key-file is set, the other is not", null);
            }
            return inEnvironment ? Optional.of(of(environment)) : Optional.empty();
        } catch (UserMistake missing) {
            throw misconfigured(missing.getMessage(), missing);
        } catch (IOException e) {
            throw misconfigured(id + " cannot be read", e);
        }
    }

    private static S3Credentials of(Map<String, String> environment) {
        String what = "nocturne.sources.s3";
        Secret token = environment.containsKey("AWS_SESSION_TOKEN")
                ? Secret.inEnvironment("AWS_SESSION_TOKEN", environment, what) : null;
        // The id of a key is no secret, and often an ordinary word.
        String id = environment.getOrDefault("AWS_ACCESS_KEY_ID", "");
        if (id.isEmpty()) throw misconfigured("the environment has no AWS_ACCESS_KEY_ID", null);
        return new S3Credentials(id, Secret.inEnvironment("AWS_SECRET_ACCESS_KEY", environment, what), token);
    }

    private static SickMachine misconfigured(String what, @Nullable Throwable cause) {
        return new SickMachine("SOURCE_MISCONFIGURED", "reading the key for S3 (nocturne.sources.s3): " + what, cause);
    }
}
