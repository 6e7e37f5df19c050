package nocturne.service.health;

import jakarta.inject.Singleton;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import nocturne.job.Ledger;
import nocturne.service.Part;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// `work/status.json`, replaced every few seconds: so its age tells whether the service lives.
@Singleton
final class StatusFile implements Part {
    private static final Logger LOG = LoggerFactory.getLogger(StatusFile.class);
    static final Duration EVERY = Duration.ofSeconds(5);

    private final Status status;
    private final Path file;
    private final ScheduledExecutorService timer =
            Executors.newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().name("status").factory());
    private volatile long lastBeat = System.nanoTime();
    private long beats;
    private boolean failing;

    StatusFile(Status status, Ledger ledger) {
        this.status = status;
        this.file = ledger.work().status();
    }

    @Override
    public int getOrder() {
        // After the server, whose address it tells.
        return SHOWING + 1;
    }

    @Override
    public void start() {
        var _ = timer.scheduleWithFixedDelay(this::write, 0, EVERY.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public void stop() {
        timer.shutdownNow();
        try {
            timer.awaitTermination(EVERY.toMillis(), TimeUnit.MILLISECONDS);
            // A service that is gone has no status; one that was killed leaves an old one.
            Files.deleteIfExists(file);
        } catch (IOException ignored) {
            // It grows old.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// How long ago the last round was.
    Duration age() {
        return Duration.ofNanos(System.nanoTime() - lastBeat);
    }

    private void write() {
        try {
            // Not forced to the disk: after a power cut nobody asks how the service was.
            Path temporary = file.resolveSibling(".status.json.new");
            Files.writeString(temporary, status.now(++beats).toPrettyString() + "\n");
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
            if (failing) LOG.info("{} is being written again", file);
            failing = false;
        } catch (IOException | RuntimeException e) {
            if (!failing) LOG.warn("{} cannot be written: {}", file, e.toString());
            failing = true;
        }
        // Also after a failure: a full disk is no reason to restart the service.
        lastBeat = System.nanoTime();
    }
}
