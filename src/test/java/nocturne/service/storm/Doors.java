package nocturne.service.storm;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import nocturne.event.EventLine;
import nocturne.service.ServiceProcess;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/// Kafka as the world outside uses it: sends bundles, reads events.
final class Doors implements AutoCloseable {
    private final String brokers;
    private final String prefix;
    private final Producer<String, byte[]> producer;

    Doors(String brokers, String prefix) {
        this.brokers = brokers;
        this.prefix = prefix;
        this.producer = new KafkaProducer<>(Map.of("bootstrap.servers", brokers, "acks", "all"),
                new StringSerializer(), new ByteArraySerializer());
    }

    String topic(String name) {
        return prefix + "." + name;
    }

    String group() {
        return prefix;
    }

    void send(String name, byte[] zip) {
        try {
            producer.send(new ProducerRecord<>(topic("jobs"), name, zip)).get();
        } catch (InterruptedException | ExecutionException e) {
            throw new AssertionError("sending " + name, e);
        }
    }

    /// Everything that was ever published, in the order of each partition.
    List<EventLine> events() {
        try (Consumer<String, byte[]> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", brokers, "isolation.level", "read_committed"),
                new StringDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic("events")).stream()
                    .map(info -> new TopicPartition(info.topic(), info.partition())).toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            List<EventLine> events = new ArrayList<>();
            while (partitions.stream().anyMatch(at -> consumer.position(at) < ends.get(at))) {
                for (ConsumerRecord<String, byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                    EventLine line = EventLine.parse(new String(record.value(), StandardCharsets.UTF_8)).orElseThrow();
                    if (!line.subject().equals(record.key())) throw new AssertionError(record.key() + " on " + line);
                    events.add(line);
                }
            }
            return events;
        }
    }

    /// Waits until the service says that nothing is left to tell.
    void awaitQuiet(ServiceProcess service) {
        await().atMost(Duration.ofMinutes(2)).pollInterval(Duration.ofMillis(300))
                .until(() -> lag(service.get("/prometheus").body()) == 0);
    }

    private static double lag(String metrics) {
        return metrics.lines().filter(line -> line.startsWith("nocturne_relay_lag_events"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1))).sum();
    }

    static Path zip(Path folder, Path target) throws IOException {
        try (OutputStream out = Files.newOutputStream(target); ZipOutputStream zip = new ZipOutputStream(out);
                Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                zip.putNextEntry(new ZipEntry(folder.relativize(file).toString()));
                Files.copy(file, zip);
                zip.closeEntry();
            }
        }
        return target;
    }

    @Override
    public void close() {
        producer.close();
    }
}
