package nocturne.desk;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import nocturne.io.ContentHash;
import nocturne.job.JobId;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/// Sends a submission to the jobs topic.
public final class KafkaDoor {
    private static final int PATIENCE_MILLIS = 15_000;

    private KafkaDoor() {}

    /// @param settings of a Kafka client: where, and who we are
    /// @return where it was put, as events will name it: `kafka:nocturne.jobs/3@17`
    /// @throws SickMachine `KAFKA_AWAY` if nobody acknowledged it
    /// @throws UserMistake `MESSAGE_TOO_LARGE` if the topic takes no such message
    public static String send(Submission.Message message, String topic, Map<String, Object> settings) {
        Map<String, Object> client = new HashMap<>(settings);
        client.put(ProducerConfig.ACKS_CONFIG, "all");
        client.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        client.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, PATIENCE_MILLIS);
        client.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, PATIENCE_MILLIS);
        client.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, 2 * PATIENCE_MILLIS);
        // One message, and no larger than the service said that it takes.
        client.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, Integer.MAX_VALUE);
        client.put(ProducerConfig.BUFFER_MEMORY_CONFIG, message.value().length + (32L << 20));
        // The same again is the same key, and so the same partition.
        JobId key = JobId.of(message.name(), ContentHash.ofBytes(message.value()));
        ProducerRecord<byte[], byte[]> record =
                new ProducerRecord<>(topic, key.text().getBytes(StandardCharsets.UTF_8), message.value());
        record.headers().add("name", message.name().getBytes(StandardCharsets.UTF_8));
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(client, new ByteArraySerializer(), new ByteArraySerializer())) {
            RecordMetadata put = producer.send(record).get();
            producer.close(Duration.ofSeconds(2));
            return "kafka:%s/%d@%d".formatted(put.topic(), put.partition(), put.offset());
        } catch (ExecutionException e) {
            throw explained(e.getCause() == null ? e : e.getCause(), topic);
        } catch (KafkaException e) {
            throw explained(e.getCause() == null ? e : e.getCause(), topic);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SickMachine("KAFKA_AWAY", "interrupted while sending; it may or may not have arrived", e);
        }
    }

    private static RuntimeException explained(Throwable cause, String topic) {
        if (cause instanceof RecordTooLargeException) {
            return new UserMistake("MESSAGE_TOO_LARGE", topic, "the broker takes no message of this size ("
                    + cause.getMessage() + "). Submit the bundle's address instead.");
        }
        return new SickMachine("KAFKA_AWAY", "sending to %s failed: %s. Nothing was accepted; try again."
                .formatted(topic, cause.getMessage()), cause);
    }
}
