package nocturne.desk.doctor;

import java.util.Map;
import nocturne.service.ServiceConfig;

/// What the doctor looks at.
///
/// @param config         where the service lives
/// @param managementHost where health is answered
/// @param managementPort 0 for any
/// @param brokers        Kafka's, or empty
/// @param kafka          settings of a Kafka client that may look at them
/// @param environment    of this process
public record Patient(ServiceConfig config, String managementHost, int managementPort, String brokers,
        Map<String, Object> kafka, Map<String, String> environment) {
    public Patient {
        kafka = Map.copyOf(kafka);
        environment = Map.copyOf(environment);
    }
}
