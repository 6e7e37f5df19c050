package nocturne.desk.doctor;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import nocturne.hub.HubCache;
import nocturne.service.ServiceConfig;
import org.jspecify.annotations.Nullable;

/// What the doctor looks at.
///
/// @param config         where the service lives
/// @param models         folders that its jobs' models lie below, absolute
/// @param cache          where a hub's own programs keep models; null for none
/// @param managementHost where health is answered
/// @param managementPort 0 for any
/// @param kafka          which Kafka the service would use
public record Patient(ServiceConfig config, List<Path> models, @Nullable HubCache cache,
        String managementHost, int managementPort, Kafka kafka) {
    public Patient {
        models = List.copyOf(models);
    }

    /// @param brokers  `host:port,...`; empty for none
    /// @param topics   that the service uses
    /// @param settings of a client that may look; they may hold a password
    public record Kafka(String brokers, List<String> topics, Map<String, Object> settings) {
        public Kafka {
            topics = List.copyOf(topics);
            settings = Map.copyOf(settings);
        }

        /// Without it.
        public static Kafka none() {
            return new Kafka("", List.of(), Map.of());
        }
    }
}
