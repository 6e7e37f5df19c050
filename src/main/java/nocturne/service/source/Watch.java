package nocturne.service.source;

import java.io.Closeable;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import nocturne.problem.SickMachine;
import org.jspecify.annotations.Nullable;

/// Ends a transfer that takes too long, or crawls, by closing what it reads from. Whatever the transfer waits for
/// then, a handshake, a header, a body, it stops waiting.
final class Watch implements AutoCloseable {
    private final URI uri;
    private final SourceConfig config;
    private final Closeable connection;
    private final AtomicLong moved = new AtomicLong();
    private final Thread thread;
    private volatile @Nullable String verdict;

    /// Begins to watch.
    Watch(URI uri, SourceConfig config, Closeable connection) {
        this.uri = uri;
        this.config = config;
        this.connection = connection;
        this.thread = Thread.ofVirtual().name("source-watch").start(this::watch);
    }

    void moved(int bytes) {
        moved.addAndGet(bytes);
    }

    /// What a failure of the transfer means: ours, if we ended it.
    SickMachine explained(Exception cause) {
        String words = verdict;
        return words == null ? Refusals.broken(uri, cause) : Refusals.tooSlow(uri, words, cause);
    }

    private void watch() {
        long began = System.nanoTime();
        long before = 0;
        try {
            while (true) {
                Duration left = config.timeout().minusNanos(System.nanoTime() - began);
                if (!left.isPositive()) {
                    end("took longer than " + config.timeout());
                    return;
                }
                boolean whole = left.compareTo(config.patience()) >= 0;
                Thread.sleep(whole ? config.patience() : left);
                long now = moved.get();
                double floor = config.minimumRate() * config.patience().toMillis() / 1000.0;
                if (whole && now - before < floor) {
                    end("sent fewer than %,d bytes in %s".formatted((long) Math.ceil(floor), config.patience()));
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
