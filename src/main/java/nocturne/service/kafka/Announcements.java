package nocturne.service.kafka;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;

/// Says on the claims topic how our claims stand, and sends silent ones round again. What does not arrive is said again
/// with the next beat.
final class Announcements implements AutoCloseable {
    private static final int BLOCK_MILLIS = 5_000;

    private final KafkaSettings settings;
    private @Nullable Producer<byte[], byte[]> producer;

    Announcements(KafkaSettings settings) {
        this.settings = settings;
    }

    void say(Claim claim) {
        var _ = send(record(settings.config(), claim));
    }

    /// @throws KafkaException if Kafka does not answer
    synchronized Future<RecordMetadata> send(ProducerRecord<byte[], byte[]> record) {
        if (producer == null) {
            producer = settings.producer(Map.of("acks", "all", "enable.idempotence", true, "max.block.ms", BLOCK_MILLIS,
                    "linger.ms", 5, "max.request.size", Integer.MAX_VALUE));
        }
        return producer.send(record);
    }

    static ProducerRecord<byte[], byte[]> record(KafkaConfig config, Claim claim) {
        return new ProducerRecord<>(config.claims(), claim.request().getBytes(StandardCharsets.UTF_8), claim.toJson());
    }

    @Override
    public synchronized void close() {
        if (producer != null) producer.close(java.time.Duration.ofSeconds(2));
    }
}
