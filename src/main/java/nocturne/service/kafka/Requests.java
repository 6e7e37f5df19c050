package nocturne.service.kafka;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/// Reads a request once more, from the place where it was claimed.
final class Requests {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final KafkaSettings settings;

    Requests(KafkaSettings settings) {
        this.settings = settings;
    }

    /// Empty if Kafka has forgotten it.
    ///
    /// @throws KafkaException if Kafka does not answer
    Optional<ConsumerRecord<byte[], byte[]>> read(Claim claim) {
        TopicPartition place = new TopicPartition(claim.topic(), claim.partition());
        try (Consumer<byte[], byte[]> consumer = settings.consumer(Map.of("isolation.level", "read_committed",
                "enable.auto.commit", false, "auto.offset.reset", "none", "max.poll.records", 1,
                "allow.auto.create.topics", false))) {
            consumer.assign(List.of(place));
            Long first = consumer.beginningOffsets(List.of(place), PATIENCE).get(place);
            if (first == null || claim.offset() < first) return Optional.empty();
            consumer.seek(place, claim.offset());
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(PATIENCE)) {
                return record.offset() == claim.offset() ? Optional.of(record) : Optional.empty();
            }
            return Optional.empty();
        }
    }
}
