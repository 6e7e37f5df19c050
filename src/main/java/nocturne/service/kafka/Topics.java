package nocturne.service.kafka;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.errors.TopicExistsException;

/// The topics of this service, made where they are missing. One that exists is left as it is: its owner knows why.
final class Topics {
    private static final long PATIENCE_SECONDS = 20;
    private static final String MONTH = String.valueOf(TimeUnit.DAYS.toMillis(30));

    private final KafkaConfig config;

    Topics(KafkaConfig config) {
        this.config = config;
    }

    /// @return what could not be made, in words; empty if all is well
    /// @throws ExecutionException if Kafka does not answer
    List<String> create(Admin admin) throws ExecutionException, InterruptedException, TimeoutException {
        Set<String> there = admin.listTopics().names().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        List<String> failures = new ArrayList<>();
        for (NewTopic topic : wanted()) {
            if (there.contains(topic.name())) continue;
            try {
                admin.createTopics(List.of(topic)).all().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            } catch (ExecutionException e) {
                if (e.getCause() instanceof TopicExistsException) continue;
                Throwable cause = e.getCause() == null ? e : e.getCause();
                failures.add("topic " + topic.name() + " is missing and cannot be created: " + cause.getMessage());
            }
        }
        return failures;
    }

    private List<NewTopic> wanted() {
        // Requests are kept a month: so long a job may be taken over by another host, which reads them again.
        return List.of(
                topic(config.jobs(), config.partitions(), Map.of("retention.ms", MONTH,
                        "max.message.bytes", String.valueOf(config.largest()))),
                topic(config.deadLetters(), 1, Map.of("retention.ms", MONTH,
                        "max.message.bytes", String.valueOf(config.largest()))),
                topic(config.events(), config.partitions(), Map.of("retention.ms", MONTH)),
                // Not compacted: that would refuse a command without a key, as people send them by hand.
                topic(config.commands(), 1, Map.of("retention.ms", MONTH)),
                // What was overtaken stays for an hour, so that whoever comes late still sees who was first.
                topic(config.claims(), config.partitions(), Map.of("cleanup.policy", "compact",
                        "min.compaction.lag.ms", String.valueOf(TimeUnit.HOURS.toMillis(1)))));
    }

    private NewTopic topic(String name, int partitions, Map<String, String> settings) {
        Optional<Short> replicas = config.replicas() < 0 ? Optional.empty() : Optional.of((short) config.replicas());
        return new NewTopic(name, Optional.of(partitions), replicas).configs(settings);
    }
}
