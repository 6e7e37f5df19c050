package nocturne.service.pull;

import java.util.concurrent.atomic.AtomicLong;
import nocturne.hub.ModelId;
import nocturne.hub.PullProgress;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Tells those who wait how far a pull is, at each tenth of it.
final class PullTold implements PullProgress {
    private static final Logger LOG = LoggerFactory.getLogger(PullTold.class);
    private static final int PARTS = 10;
    private static final double GB = 1e9;

    private final ModelId id;
    private final Waiting waiting;
    private final AtomicLong arrived = new AtomicLong();
    private volatile long all;
    private int lastPart;

    PullTold(ModelId id, Waiting waiting) {
        this.id = id;
        this.waiting = waiting;
    }

    @Override
    public void notice(String text) {
        LOG.info("{}: {}", id, text);
    }

    @Override
    public synchronized void begins(int files, long bytes, long before) {
        all = bytes;
        arrived.set(before);
        lastPart = part(before);
        waiting.tell("%s is not here and is being fetched: %d files of %.1f GB, of which %.1f GB are here"
                .formatted(id, files, bytes / GB, before / GB));
    }

    @Override
    public void moved(long bytes) {
        int part = part(arrived.addAndGet(bytes));
        if (part > lastPart) tell(part);
    }

    /// Whatever has to come again is not told twice.
    private synchronized void tell(int part) {
        if (part <= lastPart || part >= PARTS) return;
        lastPart = part;
        waiting.tell("%s is being fetched: %d %% of %.1f GB are here".formatted(id, part * 100 / PARTS, all / GB));
    }

    private int part(long bytes) {
        return all == 0 ? 0 : (int) (bytes / ((all + PARTS - 1) / PARTS));
    }

    @Override
    public void arrived(String path, long bytes) {
        LOG.debug("{}: {} is here", id, path);
    }
}
