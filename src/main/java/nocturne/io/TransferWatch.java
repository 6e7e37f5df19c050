package nocturne.io;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// Ends a transfer that takes too long, or crawls, by closing what it reads from. Whatever the transfer waits for
/// then, a handshake, a header, a body, it stops waiting.
public final class TransferWatch implements AutoCloseable {
    private final Bounds bounds;
    private final Closeable connection;
    private final AtomicLong moved = new AtomicLong();
    private final Thread thread;
    private volatile @Nullable String verdict;

    /// How long a transfer may take.
    ///
    /// @param timeout     from the first packet to the last
    /// @param patience    how long nothing much may happen: in each such span, `minimumRate` must be kept
    /// @param minimumRate bytes a second
    public record Bounds(Duration timeout, Duration patience, long minimumRate) {}

    /// Begins to watch.
    public TransferWatch(Bounds bounds, Closeable connection) {
        this.bounds = bounds;
        this.connection = connection;
        this.thread = Thread.ofVirtual().name("transfer-watch").start(this::watch);
    }

    public void moved(int bytes) {
        moved.addAndGet(bytes);
    }

    /// Why we ended it; empty if we did not.
    public Optional<String> verdict() {
        return Optional.ofNullable(verdict);
    }

    private void watch() {
        long began = System.nanoTime();
        long before = 0;
        Duration patience = bounds.patience();
        try {
            while (true) {
                Duration left = bounds.timeout().minusNanos(System.nanoTime() - began);
                if (!left.isPositive()) {
                    end("took longer than " + bounds.timeout());
                    return;
                }
                boolean whole = left.compareTo(patience) >= 0;
                Thread.sleep(whole ? patience : left);
                long now = moved.get();
                double floor = bounds.minimumRate() * patience.toMillis() / 1000.0;
                if (whole && now - before < floor) {
                    end("sent fewer than %,d bytes in %s".formatted((long) Math.ceil(floor), patience));
                    return;
                }
                before = now;
            }
        } catch (InterruptedException done) {
            return;
        }
    }

    private void end(String words) {
        verdict = words;
        try {
            connection.close();
        } catch (IOException alreadyBroken) {
            return;
        }
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
