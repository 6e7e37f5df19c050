package nocturne.service.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import nocturne.event.Event;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.promise.Promise;
import nocturne.service.broker.BrokerProcess;
import nocturne.service.broker.TestBroker;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/// A broker of this test's own comes, goes and comes back.
final class BrokerAwayTest {
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private final ListAppender<ILoggingEvent> log = new ListAppender<>();
    private final Logger ours = (Logger) LoggerFactory.getLogger("nocturne.service.kafka");
    private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);

    @TempDir
    Path folder;

    @BeforeEach
    void listen() {
        log.start();
        ours.setLevel(Level.INFO);
        root.addAppender(log);
    }

    @AfterEach
    void listenNoMore() {
        root.detachAppender(log);
        ours.setLevel(null);
    }

    @Promise(row = 32, fault = "no broker at the start; kill -9 of the broker in the middle of a job, and a restart")
    @Test
    void jobsGoOnWithoutKafkaAndWhatThereIsToTellIsToldLater() throws IOException {
        int port = TestBroker.port();
        KafkaConfig config = TestHost.config("127.0.0.1:" + port, "away", Duration.ofSeconds(1), Duration.ofMinutes(5));
        try (TestHost host = new TestHost(config, "a", folder.resolve("a"), 2, Duration.ofMillis(50), place -> {})) {
            host.start();
            dropIntoTheInbox(host, "local");
            await().atMost(PATIENCE).until(() -> host.published.contains("local"));
            await().atMost(PATIENCE).until(() -> lines("cannot be reached", false) == 1);

            BrokerProcess broker = BrokerProcess.start(folder.resolve("broker"), port);
            await().atMost(PATIENCE).until(() -> lines("is back", true) == 1);
            host.trainFor(Duration.ofSeconds(3));
            Topic.request(config, "one");
            await().atMost(PATIENCE).until(() -> host.in(JobState.RUNNING).size() == 1);

            broker.kill();
            await().atMost(PATIENCE).until(() -> lines("cannot be reached", false) == 2);
            await().atMost(PATIENCE).until(() -> host.published.contains("one"));
            dropIntoTheInbox(host, "local-too");
            await().atMost(PATIENCE).until(() -> host.published.contains("local-too"));

            try (BrokerProcess again = BrokerProcess.start(folder.resolve("broker"), port)) {
                Topic.request(config, "two");
                await().atMost(PATIENCE).until(() -> lines("is back", true) == 2);
                await().atMost(PATIENCE).until(() -> host.published.contains("two"));
                await().atMost(PATIENCE).untilAsserted(() -> assertThat(Topic.claims(config)).filteredOn(Claim::isLast)
                        .extracting(Claim::request).contains("one", "two"));
                assertThat(Topic.firstClaims(config)).hasSize(2);
                assertThat(again.isAlive()).isTrue();
            }
        }
        assertThat(log.list).filteredOn(line -> line.getLevel().isGreaterOrEqual(Level.WARN))
                .extracting(ILoggingEvent::getFormattedMessage).hasSize(3)
                .allMatch(line -> line.contains("cannot be reached") || line.contains("cannot be asked"));
    }

    private long lines(String text, boolean atTheEnd) {
        return List.copyOf(log.list).stream().map(ILoggingEvent::getFormattedMessage)
                .filter(line -> atTheEnd ? line.endsWith(text) : line.contains(text)).count();
    }

    private static void dropIntoTheInbox(TestHost host, String name) throws IOException {
        Job job = Job.queued(new JobId(name), name, "inbox:" + name, "0".repeat(64), "", null, 0,
                Instant.now().toString(), 1, 1, null);
        host.ledger.add(Files.createTempDirectory(host.ledger.work().incoming(), name), job,
                new Event.Queued(name, "inbox:" + name, "0".repeat(64), 1, 1));
    }
}
