package nocturne.service.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class BrokerProcessTest {

    @Test
    void keepsWhatItAcknowledgedThroughAKillAndComesBackOnTheSamePort(@TempDir Path folder) throws Exception {
        int port;
        try (BrokerProcess broker = BrokerProcess.start(folder, TestBroker.port())) {
            port = broker.port();
            send(broker, "before the kill");
            broker.kill();
            assertThat(broker.isAlive()).isFalse();
        }
        try (BrokerProcess again = BrokerProcess.start(folder, port)) {
            assertThat(again.port()).isEqualTo(port);
            assertThat(first(again)).isEqualTo("before the kill");
        }
        assertThat(Files.readString(folder.resolve("broker.log"))).as("what the broker complained of").isEmpty();
    }

    /// A stand-in for the service starts the broker and is killed; nobody is left to tell the broker to stop.
    @Test
    void endsWhenItsParentIsKilled(@TempDir Path folder) throws Exception {
        Process parent = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp", System.getProperty("java.class.path"), Parent.class.getName(), folder.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String pid = parent.inputReader().readLine();
        Optional<ProcessHandle> broker = ProcessHandle.of(Long.parseLong(pid));
        assertThat(broker).isPresent();

        parent.destroyForcibly().waitFor();

        await().atMost(Duration.ofSeconds(30)).until(() -> !broker.get().isAlive());
    }

    static final class Parent {
        public static void main(String[] arguments) throws IOException {
            BrokerProcess broker = BrokerProcess.start(Path.of(arguments[0]), 0);
            System.out.println(broker.pid());
            int endless = System.in.read();
            System.out.println(endless);
        }
    }

    private static void send(BrokerProcess broker, String value) throws Exception {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", broker.bootstrap()), new StringSerializer(), new StringSerializer())) {
            producer.send(new ProducerRecord<>("kept", value)).get();
        }
    }

    private static String first(BrokerProcess broker) {
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", broker.bootstrap()), new StringDeserializer(), new StringDeserializer())) {
            TopicPartition kept = new TopicPartition("kept", 0);
            consumer.assign(List.of(kept));
            consumer.seekToBeginning(List.of(kept));
            for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofSeconds(30))) return record.value();
            throw new AssertionError("nothing there");
        }
    }
}
