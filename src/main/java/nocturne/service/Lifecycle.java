package nocturne.service;

import jakarta.inject.Singleton;
import java.util.concurrent.CompletableFuture;

/// Where the service is between its start and its end, and where the wish to end it is brought.
@Singleton
public final class Lifecycle {
    private final CompletableFuture<String> stopReason = new CompletableFuture<>();
    private volatile boolean started;

    Lifecycle() {}

    /// Asks for an orderly end, by a signal or a command; only the first reason counts.
    public void requestStop(String why) {
        stopReason.complete(why);
    }

    /// Whether everything is running and nobody has asked for the end.
    public boolean isReady() {
        return started && !stopReason.isDone();
    }

    /// In a word or a few: `starting`, `ready`, `stopping: SIGTERM`.
    public String phase() {
        if (stopReason.isDone()) return "stopping: " + stopReason.join();
        return started ? "ready" : "starting";
    }

    void hasStarted() {
        started = true;
    }

    /// Waits until somebody asks.
    ///
    /// @return why
    String awaitStopRequest() {
        return stopReason.join();
    }
}
