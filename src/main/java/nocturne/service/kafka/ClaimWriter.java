package nocturne.service.kafka;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Writes claims together with the offsets of what they claim: both are true, or neither.
///
/// A host that was put out of the group meanwhile, because it stood still for too long, is refused: its membership goes
/// into the transaction, and the group knows that it has ended. One transactional id a host, so that a host's later
/// self ends what its earlier one left open.
final class ClaimWriter implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ClaimWriter.class);
    /// Others who want to claim wait for a transaction that is left open; a sound one takes milliseconds.
    private static final int LONGEST_TRANSACTION_MILLIS = 10_000;
    private static final int BLOCK_MILLIS = 8_000;

    private final KafkaSettings settings;
    private final String host;
    private final Consumer<String> passing;
    private @Nullable Producer<byte[], byte[]> producer;

    enum Outcome {
        COMMITTED,
        /// Nothing of it is true.
        REFUSED,
        /// Only the claims topic can tell.
        UNKNOWN
    }

    /// @param passing told of the places between the steps, where tests stop or kill this process
    ClaimWriter(KafkaSettings settings, String host, Consumer<String> passing) {
        this.settings = settings;
        this.host = host;
        this.passing = passing;
    }

    /// Ends what an earlier self of this host may have left open, so that the claims topic says what became of it.
    ///
    /// @throws KafkaException if Kafka does not answer
    synchronized void open() {
        if (producer != null) return;
        Producer<byte[], byte[]> fresh = settings.producer(Map.of(
                "transactional.id", settings.config().group() + "-" + host,
                "transaction.timeout.ms", LONGEST_TRANSACTION_MILLIS,
                "max.block.ms", BLOCK_MILLIS,
                "request.timeout.ms", BLOCK_MILLIS,
                "delivery.timeout.ms", BLOCK_MILLIS,
                "linger.ms", 0,
                "max.request.size", Integer.MAX_VALUE,
                "acks", "all"));
        try {
            fresh.initTransactions();
            producer = fresh;
        } finally {
            if (producer == null) fresh.close(Duration.ZERO);
        }
    }

    synchronized Outcome commit(List<ProducerRecord<byte[], byte[]>> records,
            Map<TopicPartition, OffsetAndMetadata> offsets, ConsumerGroupMetadata membership) {
        boolean isEnding = false;
        try {
            open();
            Producer<byte[], byte[]> mine = producer;
            if (mine == null) return Outcome.REFUSED;
            mine.beginTransaction();
            // What goes wrong with one of them fails the transaction.
            for (ProducerRecord<byte[], byte[]> record : records) {
                var _ = mine.send(record);
            }
            passing.accept("claim.sent");
            mine.sendOffsetsToTransaction(offsets, membership);
            passing.accept("claim.offsets");
            isEnding = true;
            mine.commitTransaction();
            return Outcome.COMMITTED;
        } catch (TimeoutException | InterruptException unsure) {
            giveUp();
            return isEnding ? Outcome.UNKNOWN : Outcome.REFUSED;
        } catch (KafkaException | IllegalStateException refused) {
            LOG.debug("claim refused", refused);
            return abort() || !isEnding ? Outcome.REFUSED : Outcome.UNKNOWN;
        }
    }

    /// @return whether it is certain that nothing of the transaction is true
    private boolean abort() {
        try {
            if (producer != null) producer.abortTransaction();
            return true;
        } catch (KafkaException | IllegalStateException broken) {
            giveUp();
            return false;
        }
    }

    /// The next transaction begins with a new producer, which first of all ends this one's.
    private void giveUp() {
        Producer<byte[], byte[]> old = producer;
        producer = null;
        if (old != null) old.close(Duration.ZERO);
    }

    @Override
    public synchronized void close() {
        giveUp();
    }
}
