package nocturne.desk.demo;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import nocturne.event.EventLine;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/// Hears every event on a topic from its beginning, as any program could that knows nothing but Kafka and CloudEvents.
final class Listener implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMillis(250);

    private final String topic;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final Set<String> heard = new HashSet<>();
    private int partitions;

    Listener(String brokers, String topic) {
        this.topic = topic;
        this.consumer = new KafkaConsumer<>(Map.of("bootstrap.servers", brokers, "enable.auto.commit", "false",
                "auto.offset.reset", "earliest", "isolation.level", "read_committed"),
                new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /// What came since the last call, in the order of each job; waits a little if there is nothing. An event that is
    /// delivered twice, as the contract allows, is heard once.
    List<EventLine> next() {
        if (partitions == 0 && !join()) return List.of();
        List<EventLine> events = new ArrayList<>();
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(PATIENCE)) {
            EventLine.parse(new String(record.value(), StandardCharsets.UTF_8))
                    .filter(event -> heard.add(event.id())).ifPresent(events::add);
        }
        return events;
    }

    /// The service makes the topic when it starts.
    private boolean join() {
        List<PartitionInfo> found = consumer.listTopics(Duration.ofSeconds(10)).getOrDefault(topic, List.of());
        if (found.isEmpty()) {
            sleep();
            return false;
        }
        List<TopicPartition> all = found.stream().map(part -> new TopicPartition(topic, part.partition())).toList();
        consumer.assign(all);
        consumer.seekToBeginning(all);
        partitions = all.size();
        return true;
    }

    private static void sleep() {
        try {
            Thread.sleep(PATIENCE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        consumer.close();
    }
}
