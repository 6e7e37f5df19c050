package nocturne.service;

import io.micronaut.http.server.exceptions.ServerStartupException;
import io.micronaut.runtime.server.EmbeddedServer;
import jakarta.inject.Singleton;
import nocturne.problem.UserMistake;

/// The HTTP server for health and metrics. It runs before and after everything else, so that one can see the rest
/// start and stop.
@Singleton
final class ManagementServer implements Part {
    private final EmbeddedServer server;
    private final ManagementConfig config;

    ManagementServer(EmbeddedServer server, ManagementConfig config) {
        this.server = server;
        this.config = config;
    }

    @Override
    public int getOrder() {
        return SHOWING;
    }

    @Override
    public void start() {
        try {
            server.start();
        } catch (ServerStartupException e) {
            throw new UserMistake("PORT_IN_USE", "nocturne.management.port",
                    "cannot listen on %s:%d: %s. Choose another port, or 0 for any free one.".formatted(config.host(),
                            config.port(), Causes.innermost(e).getMessage()));
        }
    }

    @Override
    public void stop() {
        server.stop();
    }
}
