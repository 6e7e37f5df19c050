package nocturne.service.kafka;

import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.HashMap;
import java.util.Map;
import nocturne.service.ServiceConfig;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/// What all clients of one Kafka have in common: where it is, and who we are. Camel's clients get the same, see
/// [CamelClients].
///
/// Not final, so that a test can have a Kafka whose answers get lost.
@Singleton
public class KafkaSettings {
    private static final int REQUEST_MILLIS = 10_000;

    private final KafkaConfig config;
    private final Map<String, Object> common;

    @Inject
    KafkaSettings(KafkaConfig config, KafkaSecurity security, ServiceConfig places) {
        this(config, config.isOn() ? security.settings(places, System.getenv()) : Map.of());
    }

    KafkaSettings(KafkaConfig config, Map<String, Object> security) {
        this.config = config;
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", config.brokers());
        // A broker that is away is asked again soon at first, and then every 5 s.
        settings.put("reconnect.backoff.ms", 100);
        settings.put("reconnect.backoff.max.ms", 5_000);
        settings.put("request.timeout.ms", REQUEST_MILLIS);
        settings.putAll(security);
        this.common = Map.copyOf(settings);
    }

    /// Settings that every client needs. They hold passwords: never to be printed.
    public Map<String, Object> common() {
        return common;
    }

    /// Whether there is a Kafka at all.
    public boolean isOn() {
        return config.isOn();
    }

    /// What is said of the topics.
    public KafkaConfig config() {
        return config;
    }

    Admin admin() {
        return Admin.create(with(Map.of("default.api.timeout.ms", REQUEST_MILLIS)));
    }

    Producer<byte[], byte[]> producer(Map<String, Object> more) {
        return new KafkaProducer<>(with(more), new ByteArraySerializer(), new ByteArraySerializer());
    }

    Consumer<byte[], byte[]> consumer(Map<String, Object> more) {
        return new KafkaConsumer<>(with(more), new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private Map<String, Object> with(Map<String, Object> more) {
        Map<String, Object> settings = new HashMap<>(common);
        settings.putAll(more);
        return settings;
    }
}
