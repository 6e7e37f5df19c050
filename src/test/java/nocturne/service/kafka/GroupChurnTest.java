package nocturne.service.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import nocturne.job.JobState;
import nocturne.promise.Promise;
import nocturne.service.broker.TestBroker;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A running job is nobody's group membership: whoever comes to the group or goes, it runs on.
final class GroupChurnTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int VISITORS = 30;

    @TempDir
    Path folder;

    @Test
    @Promise(row = 38, fault = "30 members join the group and leave it while jobs run", with = "pretended trainers")
    void whoComesAndGoesDoesNotTouchARunningJob() throws Exception {
        KafkaConfig config = TestHost.config(TestBroker.bootstrap(), TestBroker.fresh("churn"),
                Duration.ofSeconds(1), Duration.ofMinutes(5));
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", config.brokers()))) {
            assertThat(new Topics(config).create(admin)).isEmpty();
        }
        // A third device stays free, so the host itself is a member all the while.
        try (TestHost host = new TestHost(config, "a", folder, 3, Duration.ofMinutes(10), place -> {})) {
            host.start();
            Topic.request(config, "one", "two");
            await().atMost(PATIENCE).untilAsserted(() -> assertThat(host.in(JobState.RUNNING)).hasSize(2));
            for (int visitor = 0; visitor < VISITORS; visitor++) visit(config);
            assertThat(host.in(JobState.RUNNING)).hasSize(2).allMatch(job -> job.attempt() == 1);
            assertThat(Topic.firstClaims(config)).as("claims").hasSize(2);
            // And the door still works.
            Topic.request(config, "three");
            await().atMost(PATIENCE).untilAsserted(() -> assertThat(host.in(JobState.RUNNING)).hasSize(3));
        }
    }

    /// Joins until it has been given partitions, then leaves.
    private static void visit(KafkaConfig config) {
        try (Consumer<String, byte[]> member = new KafkaConsumer<>(
                Map.of("bootstrap.servers", config.brokers(), "group.id", config.group(), "enable.auto.commit", false,
                        "partition.assignment.strategy", "org.apache.kafka.clients.consumer.RangeAssignor",
                        "heartbeat.interval.ms", 300, "session.timeout.ms", 10_000),
                new StringDeserializer(), new ByteArrayDeserializer())) {
            member.subscribe(List.of(config.jobs()));
            long start = System.nanoTime();
            while (member.assignment().isEmpty() && System.nanoTime() - start < PATIENCE.toNanos()) {
                member.poll(Duration.ofMillis(50));
            }
            assertThat(member.assignment()).as("partitions of a visitor").isNotEmpty();
        }
    }
}
