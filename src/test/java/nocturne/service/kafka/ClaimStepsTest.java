package nocturne.service.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import nocturne.job.JobState;
import nocturne.promise.Promise;
import nocturne.service.broker.TestBroker;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A claim has steps. Between every two of them a host is stopped for so long that the group gives it up, or killed;
/// another host, or its own next self, is there. However that goes, one attempt of a job has one committed owner, and
/// the job is done once.
///
/// The places are tried at the same time, each with topics, hosts and a request of its own: three of them, or all with
/// `-Dnocturne.long=true`.
final class ClaimStepsTest {
    private static final Pattern PLACE = Pattern.compile("passing\\.accept\\(\"([a-z.-]+)\"\\)");
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final Duration TRAINING = Duration.ofMillis(100);

    @TempDir
    Path folder;

    private final List<Case> cases = new ArrayList<>();

    /// @param place between which steps
    private record Case(String place, KafkaConfig config, HostProcess first, List<TestHost> others) {
        int completed() {
            return first.lines(JobState.COMPLETED).size()
                    + others.stream().mapToInt(host -> host.published.size()).sum();
        }
    }

    /// As they stand in the source, so that no new one is forgotten.
    private static List<String> places() throws IOException {
        if (!Boolean.getBoolean("nocturne.long")) return List.of("claim.pending", "claim.offsets", "claim.committed");
        try (Stream<Path> files = Files.walk(Path.of("src/main/java/nocturne/service/kafka"))) {
            List<String> places = new ArrayList<>();
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                PLACE.matcher(Files.readString(file)).results().forEach(found -> places.add(found.group(1)));
            }
            return places;
        }
    }

    @AfterEach
    void stop() {
        for (Case one : cases) {
            one.first.close();
            one.others.forEach(TestHost::close);
        }
    }

    private void startAll(String signal) throws Exception {
        assertThat(places()).contains("claim.pending", "claim.offsets", "claim.committed");
        for (String place : places()) {
            KafkaConfig config = TestHost.config(TestBroker.bootstrap(), TestBroker.fresh("steps"),
                    Duration.ofSeconds(1), Duration.ofMinutes(5));
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", config.brokers()))) {
                new Topics(config).create(admin);
            }
            Topic.request(config, "job");
            cases.add(new Case(place, config,
                    HostProcess.start(config, "a", folder.resolve(place), 1, TRAINING, place, signal),
                    new ArrayList<>()));
        }
    }

    private TestHost other(Case one, String name, Path work) {
        TestHost host = new TestHost(one.config, name, work, 1, TRAINING, place -> {});
        one.others.add(host);
        return host.start();
    }

    @Promise(row = 10, fault = "SIGSTOP past the eviction between every two steps of a claim, then SIGCONT",
            with = "two local processes")
    @Test
    void hasOneOwnerWhenAHostStandsStillBetweenTwoSteps() throws Exception {
        startAll("STOP");
        for (Case one : cases) one.first.awaitPlace();
        for (Case one : cases) other(one, "b", folder.resolve(one.place + "-b"));
        // What was not committed goes to the other host; what was, waits for the one that has it.
        List<String> open = List.of("claim.pending", "claim.sent", "claim.offsets");
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(cases).filteredOn(one -> open.contains(one.place))
                .allSatisfy(one -> assertThat(one.completed()).as(one.place).isEqualTo(1)));
        cases.forEach(one -> one.first.signal("CONT"));
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(cases)
                .allSatisfy(one -> assertThat(one.completed()).as(one.place).isEqualTo(1)));
        checkOwners();
        assertThat(cases).filteredOn(one -> open.contains(one.place)).allSatisfy(one ->
                assertThat(one.others.getFirst().published).as(one.place).containsExactly("job"));
    }

    @Promise(row = 10, fault = "kill -9 between every two steps of a claim, then a restart")
    @Test
    void hasOneOwnerWhenAHostIsKilledBetweenTwoSteps() throws Exception {
        startAll("KILL");
        for (Case one : cases) {
            one.first.awaitPlace();
            one.first.kill();
        }
        for (Case one : cases) other(one, "a", folder.resolve(one.place));
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(cases)
                .allSatisfy(one -> assertThat(one.completed()).as(one.place).isEqualTo(1)));
        checkOwners();
        for (Case one : cases) assertThat(folder.resolve(one.place).resolve("pending")).as(one.place)
                .isEmptyDirectory();
    }

    private void checkOwners() {
        for (Case one : cases) {
            assertThat(Topic.firstClaims(one.config)).as("claims after a fault at " + one.place).singleElement()
                    .satisfies(claim -> assertThat(claim.attempt()).isEqualTo(1));
            await().atMost(PATIENCE).untilAsserted(() ->
                    assertThat(Topic.claims(one.config)).as(one.place).last().extracting(Claim::state)
                            .isEqualTo("completed"));
            assertThat(one.completed()).as(one.place).isEqualTo(1);
        }
    }
}
