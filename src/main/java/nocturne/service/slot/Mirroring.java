package nocturne.service.slot;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import nocturne.job.JobId;
import nocturne.service.OutboxMirror;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Has files mirrored as they are made, beside the thread that watches the trainer: a copy may take its time, and a
/// hang must be seen meanwhile. One copy to a job at a time.
final class Mirroring {
    private static final Logger LOG = LoggerFactory.getLogger(Mirroring.class);

    private final OutboxMirror mirror;
    /// How often files were made since the copy that is under way began.
    private final Map<JobId, AtomicInteger> wanted = new ConcurrentHashMap<>();

    Mirroring(OutboxMirror mirror) {
        this.mirror = mirror;
    }

    /// Returns at once.
    void filesWereMade(JobId id) {
        AtomicInteger count = wanted.computeIfAbsent(id, _ -> new AtomicInteger());
        if (count.getAndIncrement() == 0) Thread.ofVirtual().name("mirror-" + id).start(() -> copy(id, count));
    }

    private void copy(JobId id, AtomicInteger count) {
        int seen;
        do {
            seen = count.get();
            try {
                mirror.sync(id);
            } catch (RuntimeException e) {
                // The next file, or the end of the job, brings it along.
                LOG.warn("{}: its files could not be published yet: {}", id, e.getMessage());
            }
        } while (!count.compareAndSet(seen, 0));
    }
}
