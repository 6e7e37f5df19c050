package nocturne.desk.doctor;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.common.KafkaException;

/// Whether the brokers answer, and whether they know the topics.
final class KafkaCheck implements Check {
    private static final Duration PATIENCE = Duration.ofSeconds(6);
    private final Patient.Kafka kafka;

    KafkaCheck(Patient.Kafka kafka) {
        this.kafka = kafka;
    }

    @Override
    public List<Finding> look() throws InterruptedException {
        if (kafka.brokers().isBlank()) {
            return List.of(Finding.ok("Kafka", "not used: jobs come from the inbox only (nocturne.kafka.brokers)"));
        }
        Map<String, Object> client = new HashMap<>(kafka.settings());
        client.put(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.brokers());
        client.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) PATIENCE.toMillis());
        client.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) PATIENCE.toMillis());
        try (Admin admin = Admin.create(client)) {
            List<Finding> findings = new ArrayList<>();
            int nodes = admin.describeCluster().nodes().get().size();
            Set<String> topics = admin.listTopics().names().get();
            findings.add(Finding.ok("Kafka", "%d broker%s answer%s at %s".formatted(nodes, nodes == 1 ? "" : "s",
                    nodes == 1 ? "s" : "", kafka.brokers())));
            List<String> missing = kafka.topics().stream().filter(topic -> !topics.contains(topic)).toList();
            if (!missing.isEmpty()) {
                findings.add(Finding.note("Kafka", "there is no " + String.join(", ", missing),
                        "The service makes them when it starts, if it may; docs/operations.md has the commands."));
            }
            return findings;
        } catch (ExecutionException e) {
            return List.of(away(String.valueOf((e.getCause() == null ? e : e.getCause()).getMessage())));
        } catch (KafkaException e) {
            return List.of(away(String.valueOf((e.getCause() == null ? e : e.getCause()).getMessage())));
        }
    }

    /// Not a problem: jobs from the inbox run, and events wait for the broker.
    private Finding away(String why) {
        return Finding.note("Kafka", "%s does not answer: %s".formatted(kafka.brokers(), why),
                "Is it running, is the address right, do TLS and password fit (nocturne.kafka.*)? Until then jobs"
                        + " come from the inbox only; events are kept and delivered later.");
    }
}
