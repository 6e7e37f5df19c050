package nocturne.service.publish;

import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import org.apache.camel.CamelContext;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.PluginHelper;

/// The route of `routes/kafka-events.camel.yaml`, as it is shipped.
final class EventsRoute implements AutoCloseable {
    private final CamelContext camel = new DefaultCamelContext();

    EventsRoute(String brokers, String topic) throws Exception {
        Properties settings = new Properties();
        settings.setProperty("nocturne.kafka.brokers", brokers);
        settings.setProperty("nocturne.kafka.events", topic);
        camel.getPropertiesComponent().setOverrideProperties(settings);
        camel.start();
        Path file = Path.of("routes/kafka-events.camel.yaml").toAbsolutePath();
        PluginHelper.getRoutesLoader(camel).loadRoutes(List.of(
                PluginHelper.getResourceLoader(camel).resolveResource("file:" + file)));
    }

    ProducerTemplate template() {
        return camel.createProducerTemplate();
    }

    @Override
    public void close() {
        camel.stop();
    }
}
