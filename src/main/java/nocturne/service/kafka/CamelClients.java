package nocturne.service.kafka;

import io.micronaut.context.annotation.Requires;
import jakarta.inject.Named;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import org.apache.camel.component.kafka.KafkaClientFactory;
import org.apache.camel.component.kafka.KafkaConfiguration;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.jspecify.annotations.Nullable;

/// Makes the clients of all Kafka endpoints in the routes, so that addresses and passwords stand in no route, and in no
/// address of an endpoint that might be logged. Camel finds it by its type.
@Singleton
@Requires(condition = KafkaWanted.class)
@Named("kafkaClients")
final class CamelClients implements KafkaClientFactory {
    /// Leaving takes one request; a broker that does not answer must not hold up a shutdown.
    private static final Duration LEAVING = Duration.ofSeconds(2);

    private static final List<String> CLASSIC =
            List.of("heartbeat.interval.ms", "session.timeout.ms", "partition.assignment.strategy");

    private final KafkaSettings settings;

    CamelClients(KafkaSettings settings) {
        this.settings = settings;
    }

    @Override
    @SuppressWarnings("rawtypes")
    public Producer getProducer(Properties ofRoute) {
        return new KafkaProducer<Object, Object>(with(ofRoute));
    }

    @Override
    @SuppressWarnings("rawtypes")
    public Consumer getConsumer(Properties ofRoute) {
        return new KafkaConsumer<Object, Object>(with(ofRoute)) {
            @Override
            @SuppressWarnings("deprecation")
            public void close() {
                close(LEAVING);
            }
        };
    }

    private Properties with(Properties ofRoute) {
        Properties all = new Properties();
        all.putAll(ofRoute);
        all.putAll(settings.common());
        // The newer protocol has these decided by the broker, and refuses a client that speaks of them.
        if ("consumer".equals(all.getProperty("group.protocol"))) CLASSIC.forEach(all::remove);
        return all;
    }

    @Override
    public @Nullable String getBrokers(KafkaConfiguration ofRoute) {
        return settings.config().brokers();
    }
}
