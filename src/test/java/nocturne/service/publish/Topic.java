package nocturne.service.publish;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import nocturne.event.EventLine;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/// A reader of a topic with one partition, from its beginning.
final class Topic implements AutoCloseable {
    private final Consumer<String, byte[]> consumer;
    private final List<ConsumerRecord<String, byte[]>> records = new ArrayList<>();

    Topic(String brokers, String name) {
        consumer = new KafkaConsumer<>(Map.of("bootstrap.servers", brokers, "isolation.level", "read_committed"),
                new StringDeserializer(), new ByteArrayDeserializer());
        consumer.assign(List.of(new TopicPartition(name, 0)));
        consumer.seekToBeginning(consumer.assignment());
    }

    /// Reads on until what has been read since the beginning fits.
    List<ConsumerRecord<String, byte[]>> readUntil(Predicate<List<ConsumerRecord<String, byte[]>>> enough) {
        long deadline = System.nanoTime() + Duration.ofSeconds(90).toNanos();
        while (!enough.test(records)) {
            if (System.nanoTime() > deadline) throw new AssertionError("after 90 s only " + lines(records));
            consumer.poll(Duration.ofMillis(200)).forEach(records::add);
        }
        return List.copyOf(records);
    }

    /// What is there now and was not read before.
    List<ConsumerRecord<String, byte[]>> readOn() {
        List<ConsumerRecord<String, byte[]>> read = new ArrayList<>();
        consumer.poll(Duration.ofMillis(5)).forEach(read::add);
        records.addAll(read);
        return read;
    }

    static List<EventLine> lines(List<ConsumerRecord<String, byte[]>> records) {
        return records.stream().map(record -> EventLine.parse(new String(record.value(), StandardCharsets.UTF_8))
                .orElseThrow()).toList();
    }

    @Override
    public void close() {
        consumer.close();
    }
}
