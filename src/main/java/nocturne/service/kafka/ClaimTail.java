package nocturne.service.kafka;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;

/// Reads the whole claims topic into the [ClaimBook], from its beginning and on and on, committed records only.
final class ClaimTail implements AutoCloseable {
    private static final Duration POLL = Duration.ofMillis(500);
    private static final long RETRY_MILLIS = 1_000;

    private final KafkaSettings settings;
    private final ClaimBook book;
    private final Map<TopicPartition, Long> positions = new HashMap<>();
    private final Thread thread;
    private volatile @Nullable Consumer<byte[], byte[]> consumer;
    private volatile boolean closed;

    ClaimTail(KafkaSettings settings, ClaimBook book) {
        this.settings = settings;
        this.book = book;
        this.thread = Thread.ofPlatform().daemon().name("kafka-claims-tail").unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    /// Waits until everything has been read that stands before these ends. The ends are those of everything written,
    /// not only of what is committed: a claim behind a transaction that is still open must be waited for, too.
    ///
    /// @return false if that did not happen in time
    boolean awaitRead(Map<TopicPartition, Long> ends, Duration patience) throws InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        synchronized (positions) {
            while (!hasRead(ends)) {
                long left = deadline - System.nanoTime();
                if (left <= 0 || closed) return false;
                TimeUnit.NANOSECONDS.timedWait(positions, left);
            }
            return true;
        }
    }

    private boolean hasRead(Map<TopicPartition, Long> ends) {
        return ends.entrySet().stream().allMatch(end -> positions.getOrDefault(end.getKey(), -1L) >= end.getValue());
    }

    private void run() {
        while (!closed) {
            try (Consumer<byte[], byte[]> mine = settings.consumer(Map.of("isolation.level", "read_committed",
                    "enable.auto.commit", false, "auto.offset.reset", "earliest",
                    "allow.auto.create.topics", false))) {
                consumer = mine;
                if (assign(mine)) read(mine);
            } catch (WakeupException | InterruptException stop) {
                // Seen by the loop's condition.
            } catch (KafkaException broken) {
                // Told once by the one who watches the link; here it is only tried again.
            } finally {
                consumer = null;
            }
            rest();
        }
    }

    private boolean assign(Consumer<byte[], byte[]> mine) {
        List<PartitionInfo> found = mine.partitionsFor(settings.config().claims());
        if (found == null || found.isEmpty()) return false;
        List<TopicPartition> partitions = found.stream()
                .map(partition -> new TopicPartition(partition.topic(), partition.partition()))
                .collect(Collectors.toCollection(ArrayList::new));
        mine.assign(partitions);
        synchronized (positions) {
            // What this process has read already need not be read again.
            for (TopicPartition partition : partitions) {
                mine.seek(partition, positions.getOrDefault(partition, 0L));
            }
        }
        return true;
    }

    private void read(Consumer<byte[], byte[]> mine) {
        while (!closed) {
            for (ConsumerRecord<byte[], byte[]> record : mine.poll(POLL)) {
                if (record.value() != null) Claim.parse(record.value()).ifPresent(book::read);
            }
            synchronized (positions) {
                for (TopicPartition partition : mine.assignment()) positions.put(partition, mine.position(partition));
                positions.notifyAll();
            }
        }
    }

    private void rest() {
        if (closed) return;
        try {
            Thread.sleep(RETRY_MILLIS);
        } catch (InterruptedException stop) {
            closed = true;
        }
    }

    @Override
    public void close() {
        closed = true;
        Consumer<byte[], byte[]> mine = consumer;
        if (mine != null) mine.wakeup();
        synchronized (positions) {
            positions.notifyAll();
        }
        try {
            thread.join(TimeUnit.SECONDS.toMillis(5));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
