package nocturne.service.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import nocturne.job.JobState;
import nocturne.promise.Promise;
import nocturne.service.broker.TestBroker;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A host goes silent in the middle of a job. The lease is short here, so that the test is.
final class TakeoverTest {
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private final KafkaConfig config = TestHost.config(TestBroker.bootstrap(), TestBroker.fresh("takeover"),
            Duration.ofSeconds(1), Duration.ofSeconds(4));
    private final List<TestHost> hosts = new ArrayList<>();

    @TempDir
    Path folder;

    @BeforeEach
    void makeTopics() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", config.brokers()))) {
            new Topics(config).create(admin);
        }
    }

    @AfterEach
    void stop() {
        hosts.forEach(TestHost::close);
    }

    private TestHost host(String name) {
        TestHost host = new TestHost(config, name, folder.resolve(name), 1, Duration.ofMillis(100), place -> {});
        hosts.add(host);
        return host.start();
    }

    @Promise(row = 37, fault = "kill -9 of a host in the middle of a job, and its disk deleted; three hosts notice",
            with = "local processes")
    @Test
    void anotherHostFinishesTheJobOfOneThatIsGoneForGood() throws IOException {
        try (HostProcess gone = HostProcess.start(config, "gone", folder.resolve("gone"), 1, Duration.ofMinutes(9),
                "", "")) {
            Topic.request(config, "job");
            await().atMost(PATIENCE).until(() -> gone.lines(JobState.RUNNING).size() == 1);
            gone.kill();
        }
        try (Stream<Path> files = Files.walk(folder.resolve("gone"))) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
        }
        for (String name : List.of("b", "c", "d")) host(name);
        await().atMost(PATIENCE).until(() -> hosts.stream().anyMatch(host -> host.published.contains("job")));
        // Whatever the other two had asked for, it was answered before.
        await().atMost(PATIENCE).until(() -> hosts.getFirst().link.lag() == 0);
        assertThat(Topic.firstClaims(config)).extracting(Claim::attempt).containsExactly(1, 2);
        assertThat(hosts).flatExtracting(host -> host.published).containsExactly("job");
    }

    @Promise(row = 11, fault = "SIGSTOP past the lease, another host finishes, SIGCONT", with = "local processes")
    @Promise(row = 37, fault = "a host that was given up comes back", with = "local processes")
    @Test
    void aHostThatWasGivenUpPublishesNothing() {
        try (HostProcess slow = HostProcess.start(config, "slow", folder.resolve("slow"), 1, Duration.ofSeconds(4),
                "", "")) {
            Topic.request(config, "job");
            await().atMost(PATIENCE).until(() -> slow.lines(JobState.RUNNING).size() == 1);
            slow.signal("STOP");
            TestHost quick = host("quick");
            await().atMost(PATIENCE).until(() -> quick.published.contains("job"));
            slow.signal("CONT");
            await().atMost(PATIENCE).until(() -> slow.lines(JobState.SUPERSEDED).size() == 1);
            assertThat(slow.lines(JobState.COMPLETED)).isEmpty();
            assertThat(Topic.claims(config)).last()
                    .satisfies(last -> assertThat(last.host() + " " + last.state()).isEqualTo("quick completed"));
        }
    }

    /// The host is silent only as long as the others cannot hear anything.
    @Promise(row = 39, fault = "the observer stands still for longer than the lease")
    @Test
    void nobodyIsGivenUpByAHostThatWasDeafItself() {
        TestHost worker = host("worker");
        worker.trainFor(Duration.ofMinutes(9));
        Topic.request(config, "job");
        await().atMost(PATIENCE).until(() -> worker.in(JobState.RUNNING).size() == 1);
        try (HostProcess deaf = HostProcess.start(config, "deaf", folder.resolve("deaf"), 1, Duration.ofSeconds(1),
                "", "")) {
            Topic.request(config, "other");
            await().atMost(PATIENCE).until(() -> deaf.lines(JobState.COMPLETED).size() == 1);
            deaf.signal("STOP");
            long stopped = System.nanoTime();
            await().pollDelay(Duration.ofSeconds(5)).atMost(PATIENCE)
                    .until(() -> System.nanoTime() - stopped > config.lease().toNanos());
            deaf.signal("CONT");
            Topic.request(config, "third");
            await().atMost(PATIENCE).until(() -> deaf.lines(JobState.COMPLETED).size() == 2);
        }
        assertThat(Topic.firstClaims(config)).filteredOn(claim -> claim.request().equals("job")).hasSize(1);
        assertThat(worker.in(JobState.RUNNING)).hasSize(1);
    }
}
