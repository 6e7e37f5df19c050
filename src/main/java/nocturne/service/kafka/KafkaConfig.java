package nocturne.service.kafka;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;
import java.time.Duration;
import nocturne.problem.UserMistake;

/// What Kafka is to this service.
///
/// @param brokers     where to find it, `host:port,...`; empty for none, from the inbox to the outbox only
/// @param group       the consumer group that all hosts share
/// @param jobs        the topic with requests for jobs
/// @param claims      the topic that says which host has which request; compacted
/// @param events      the topic that tells what happens to jobs
/// @param commands    the topic with wishes about jobs
/// @param deadLetters the topic for requests that no job could be made of, or that failed for good
/// @param partitions  of the topics for jobs, claims and events, where we have to create them: twice the number of
///                    hosts, or more
/// @param replicas    of topics that we have to create; -1 for what the cluster usually does
/// @param beat        how often a claimed job tells that its host is alive
/// @param lease       how long a job may be silent before another host takes it over
/// @param largest     bytes of a request that is taken; a bundle sent as a message is one
@ConfigurationProperties("nocturne.kafka")
public record KafkaConfig(
        @Bindable(defaultValue = "") String brokers,
        @Bindable(defaultValue = "nocturne") String group,
        @Bindable(defaultValue = "nocturne.jobs") String jobs,
        @Bindable(defaultValue = "nocturne.claims") String claims,
        @Bindable(defaultValue = "nocturne.events") String events,
        @Bindable(defaultValue = "nocturne.commands") String commands,
        @Bindable(defaultValue = "nocturne.jobs.dlq") String deadLetters,
        @Bindable(defaultValue = "24") int partitions,
        @Bindable(defaultValue = "-1") int replicas,
        @Bindable(defaultValue = "30s") Duration beat,
        @Bindable(defaultValue = "10m") Duration lease,
        @Bindable(defaultValue = "67108864") int largest) {
    public KafkaConfig {
        if (partitions < 1) throw wrong("partitions", partitions + " is not allowed; 1 or more");
        if (replicas == 0 || replicas < -1) throw wrong("replicas", replicas + " is not allowed; 1 or more, or -1");
        if (!beat.isPositive()) throw wrong("beat", beat + " is not allowed; a time such as 30s");
        if (lease.compareTo(beat.multipliedBy(3)) < 0) {
            throw wrong("lease", ("%s is not allowed; at least three beats (%s each), so that one that is late does not"
                    + " cost a job").formatted(lease, beat));
        }
        if (largest < 1) throw wrong("largest", largest + " is not allowed; a number of bytes");
    }

    private static UserMistake wrong(String key, String what) {
        return new UserMistake("CONFIG_INVALID", "nocturne.kafka." + key, what);
    }

    /// Whether there is a Kafka at all.
    public boolean isOn() {
        return !brokers.isBlank();
    }
}
