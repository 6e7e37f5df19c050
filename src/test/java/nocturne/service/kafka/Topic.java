package nocturne.service.kafka;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/// What a test says to Kafka and reads there.
final class Topic {
    private Topic() {}

    static String request(String id) {
        return "{\"version\":1,\"id\":\"%s\",\"bundle\":{\"uri\":\"file:/bundles/%s\"}}".formatted(id, id);
    }

    /// Sends values with these keys, in order.
    static void send(String bootstrap, String topic, List<Map.Entry<String, byte[]>> records) {
        try (KafkaProducer<String, byte[]> producer = new KafkaProducer<>(Map.of("bootstrap.servers", bootstrap,
                "linger.ms", 5, "max.request.size", 64 << 20), new StringSerializer(), new ByteArraySerializer())) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (Map.Entry<String, byte[]> record : records) {
                sent.add(producer.send(new ProducerRecord<>(topic, record.getKey(), record.getValue())));
            }
            for (Future<RecordMetadata> one : sent) one.get();
        } catch (InterruptedException | ExecutionException e) {
            throw new AssertionError(e);
        }
    }

    static void request(KafkaConfig config, String... ids) {
        List<Map.Entry<String, byte[]>> records = new ArrayList<>();
        for (String id : ids) records.add(Map.entry(id, request(id).getBytes(StandardCharsets.UTF_8)));
        send(config.brokers(), config.jobs(), records);
    }

    /// Everything committed on a topic, to its end.
    static List<ConsumerRecord<String, byte[]>> all(String bootstrap, String topic) {
        try (KafkaConsumer<String, byte[]> consumer = new KafkaConsumer<>(Map.of("bootstrap.servers", bootstrap,
                "isolation.level", "read_committed"), new StringDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                    .map(partition -> new TopicPartition(topic, partition.partition())).toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            List<ConsumerRecord<String, byte[]>> all = new ArrayList<>();
            while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                consumer.poll(Duration.ofMillis(200)).forEach(all::add);
            }
            return all;
        }
    }

    static List<Claim> claims(KafkaConfig config) {
        return all(config.brokers(), config.claims()).stream()
                .map(record -> Claim.parse(record.value()).orElseThrow()).toList();
    }

    /// The first words about requests only, without what was said afterwards; once, however often they were said.
    static List<Claim> firstClaims(KafkaConfig config) {
        return claims(config).stream()
                .filter(claim -> claim.state().equals(Claim.CLAIMED) && claim.job().isEmpty()).distinct().toList();
    }
}
