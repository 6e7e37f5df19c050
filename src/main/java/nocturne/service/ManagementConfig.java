package nocturne.service;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;
import nocturne.problem.UserMistake;

/// Where health and metrics are answered.
///
/// @param host address to listen on; beyond this machine only if somebody says so, because there is no password
/// @param port 0 for any free one; the log and `status.json` tell which
@ConfigurationProperties("nocturne.management")
public record ManagementConfig(
        @Bindable(defaultValue = "127.0.0.1") String host,
        @Bindable(defaultValue = "8787") int port) {
    private static final int HIGHEST_PORT = 65_535;

    public ManagementConfig {
        if (port < 0 || port > HIGHEST_PORT) {
            throw new UserMistake("CONFIG_INVALID", "nocturne.management.port",
                    port + " is not allowed; a port from 1 to 65535, or 0 for any free one");
        }
    }
}
