package nocturne.service;

import jakarta.inject.Singleton;
import java.util.concurrent.CompletableFuture;

/// Where the wish to stop the service is brought, by a signal or a command.
@Singleton
public final class Shutdown {
    private final CompletableFuture<String> reason = new CompletableFuture<>();

    Shutdown() {}

    /// Asks for an orderly end; only the first reason counts.
    public void request(String why) {
        reason.complete(why);
    }

    public boolean isRequested() {
        return reason.isDone();
    }

    /// Waits until somebody asks.
    ///
    /// @return why
    String await() {
        return reason.join();
    }
}
