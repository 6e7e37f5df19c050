package nocturne.service.publish;

import io.micronaut.context.annotation.EachProperty;
import io.micronaut.context.annotation.Parameter;
import io.micronaut.core.annotation.Nullable;
import io.micronaut.core.bind.annotation.Bindable;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import nocturne.problem.UserMistake;

/// Somebody to be told by HTTP: one entry of `nocturne.webhooks`.
///
/// @param index      which entry, from 0
/// @param url        where to POST, `http` or `https`
/// @param secretFile a file with the secret that signs what is sent; either this or the next
/// @param secretEnv  the variable of the environment with that secret
/// @param types      the events wanted, such as `nocturne.job.completed.v1` or `nocturne.job.*`; none for all
/// @param timeout    how long an answer may take
/// @param giveUp     how old an event gets that is not taken, before it is left out
@EachProperty(value = "nocturne.webhooks", list = true)
record WebhookConfig(
        @Parameter Integer index,
        @Bindable(defaultValue = "") String url,
        @Nullable Path secretFile,
        @Nullable String secretEnv,
        @Nullable List<String> types,
        @Bindable(defaultValue = "10s") Duration timeout,
        @Bindable(defaultValue = "3d") Duration giveUp) {
    WebhookConfig {
        if (secretFile == null == (secretEnv == null)) {
            throw wrong(index, "secret-file", "either this or secret-env must say where the signing secret is");
        }
        if (!timeout.isPositive()) throw wrong(index, "timeout", timeout + " is not allowed; a time such as 10s");
        if (!giveUp.isPositive()) throw wrong(index, "give-up", giveUp + " is not allowed; a time such as 3d");
        check(index, url);
    }

    private static void check(Integer index, String url) {
        try {
            URI uri = URI.create(url);
            boolean usable = ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))
                    && uri.getHost() != null && uri.getUserInfo() == null;
            if (usable) return;
        } catch (IllegalArgumentException notAUrl) {
            // Said below, without repeating what may hold a password.
        }
        throw wrong(index, "url", "is not allowed; http://host/path or https://host/path, without user or password");
    }

    private static UserMistake wrong(Integer index, String key, String what) {
        return new UserMistake("CONFIG_INVALID", "nocturne.webhooks[" + index + "]." + key, what);
    }

    List<String> wanted() {
        return types == null ? List.of() : types;
    }

    /// The setting's name, for messages.
    String key(String what) {
        return "nocturne.webhooks[" + index + "]." + what;
    }
}
