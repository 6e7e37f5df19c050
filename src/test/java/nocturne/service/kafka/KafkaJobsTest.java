package nocturne.service.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import nocturne.event.Event;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.promise.Promise;
import nocturne.service.CommandDesk;
import nocturne.service.broker.TestBroker;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// One host or several in this JVM, one real broker, the real routes.
final class KafkaJobsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(40);

    private final KafkaConfig config = TestHost.config(TestBroker.bootstrap(), TestBroker.fresh("test"),
            Duration.ofSeconds(1), Duration.ofMinutes(5));
    private final List<TestHost> hosts = new ArrayList<>();

    @TempDir
    Path folder;

    @AfterEach
    void stop() {
        hosts.forEach(TestHost::close);
    }

    @BeforeEach
    void makeTopics() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", config.brokers()))) {
            assertThat(new Topics(config).create(admin)).isEmpty();
        }
    }

    private TestHost host(String name, int devices, Duration training) {
        TestHost host = new TestHost(config, name, folder.resolve(name), devices, training, place -> {});
        hosts.add(host);
        return host.start();
    }

    @Test
    void claimsTrainsAndSaysTheLastWord() {
        TestHost host = host("a", 1, Duration.ofMillis(50));
        Topic.request(config, "one", "two", "three");
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(host.in(JobState.COMPLETED)).hasSize(3));
        await().atMost(PATIENCE).untilAsserted(() ->
                assertThat(Topic.claims(config)).filteredOn(Claim::isLast).extracting(Claim::request)
                        .containsOnly("one", "two", "three").contains("one", "two", "three"));
        assertThat(Topic.firstClaims(config)).hasSize(3);
        assertThat(host.ledger.work().pending()).isEmptyDirectory();
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(host.link.lag()).isZero());
    }

    @Promise(row = 18, fault = "the same message 10 times, with and without a key")
    @Test
    void trainsOnceWhatIsAskedForTenTimes() {
        TestHost host = host("a", 2, Duration.ofMillis(50));
        byte[] message = Topic.request("maya").getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < 10; i++) {
            Topic.send(config.brokers(), config.jobs(), List.of(Map.entry(i % 2 == 0 ? "maya" : "key" + i, message)));
        }
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(duplicates(host)).isEqualTo(9));
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(host.in(JobState.COMPLETED)).hasSize(1));
        assertThat(host.ledger.jobs()).hasSize(1);
    }

    /// The second request is committed behind the first one: if that had not been read again, it would be lost now.
    @Promise(row = 10, fault = "the answer to a claim's commit is lost, once after it came true and once after it did"
            + " not")
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void readsAgainWhatMayOrMayNotBeClaimed(boolean cameTrue) {
        LostAnswer kafka = new LostAnswer(config, cameTrue);
        // One device stays free all the while, so the door is never closed and opened again.
        TestHost host = new TestHost(kafka, "a", folder.resolve("a"), 3, Duration.ofMillis(50), place -> {});
        hosts.add(host.start());
        for (String id : List.of("first", "second")) {
            Topic.send(config.brokers(), config.jobs(),
                    List.of(Map.entry("key", Topic.request(id).getBytes(StandardCharsets.UTF_8))));
            await().atMost(PATIENCE).until(kafka::isLost);
        }
        await().atMost(PATIENCE).untilAsserted(() ->
                assertThat(host.published).containsExactlyInAnyOrder("first", "second"));
        assertThat(Topic.firstClaims(config)).extracting(Claim::request).containsExactly("first", "second");
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(host.link.lag()).isZero());
        if (cameTrue) await().atMost(PATIENCE).untilAsserted(() -> assertThat(duplicates(host)).isEqualTo(1));
        assertThat(host.ledger.jobs()).hasSize(2);
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(host.ledger.work().pending()).isEmptyDirectory());
    }

    private static long duplicates(TestHost host) {
        long known = host.ledger.jobs().stream().mapToLong(job -> journal(host, job.id().text(), "job.duplicate"))
                .sum();
        return known + host.hostEvents.stream().filter(Event.Duplicate.class::isInstance).count();
    }

    private static long journal(TestHost host, String job, String type) {
        try (Stream<String> lines = Files.lines(host.ledger.work().jobs().resolve(job).resolve("events.jsonl"))) {
            return lines.filter(line -> line.contains(type)).count();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Promise(row = 13, fault = "one host busy for longer than all other jobs take", with = "pretended trainers")
    @Test
    void givesWhatWaitsToTheHostThatIsIdle() {
        TestHost busy = host("busy", 1, Duration.ofMinutes(5));
        Topic.request(config, "first");
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(busy.in(JobState.RUNNING)).hasSize(1));
        TestHost idle = host("idle", 1, Duration.ofMillis(20));
        Topic.request(config, "j1", "j2", "j3", "j4", "j5", "j6", "j7", "j8");
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(idle.in(JobState.COMPLETED)).hasSize(8));
        assertThat(busy.in(JobState.RUNNING)).hasSize(1);
    }

    @Promise(row = 9, fault = "bombs and rubbish between good requests")
    @Test
    void putsWhatItCannotUseAmongTheDeadLettersAndGoesOn() {
        TestHost host = host("a", 1, Duration.ofMillis(20));
        List<Map.Entry<String, byte[]>> records = new ArrayList<>();
        records.add(Map.entry("k", "rubbish".getBytes(StandardCharsets.UTF_8)));
        records.add(Map.entry("k", ("{\"version\":1,\"x\":" + "[".repeat(100_000)).getBytes(StandardCharsets.UTF_8)));
        records.add(Map.entry("good", Topic.request("good").getBytes(StandardCharsets.UTF_8)));
        records.add(Map.entry("k", "{\"version\":7}".getBytes(StandardCharsets.UTF_8)));
        records.add(Map.entry("k", new byte[300 << 10]));
        records.add(Map.entry("k", new byte[0]));
        Topic.send(config.brokers(), config.jobs(), records);
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(host.in(JobState.COMPLETED)).hasSize(1));
        await().atMost(PATIENCE).untilAsserted(() ->
                assertThat(Topic.all(config.brokers(), config.deadLetters())).hasSize(5).allSatisfy(letter -> {
                    assertThat(letter.headers().lastHeader("code").value()).asString().startsWith("MESSAGE_");
                    assertThat(letter.headers().lastHeader("reason").value()).isNotEmpty();
                    assertThat(letter.headers().lastHeader("topic").value()).asString().isEqualTo(config.jobs());
                    assertThat(letter.headers().lastHeader("partition").value()).isNotEmpty();
                    assertThat(letter.headers().lastHeader("offset").value()).isNotEmpty();
                }));
        assertThat(Topic.all(config.brokers(), config.events())).hasSize(5)
                .allSatisfy(event -> assertThat(event.value()).asString().contains("nocturne.job.rejected.v1"));
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(host.link.lag()).isZero());
    }

    @Test
    void putsTheRequestOfAJobThatFailedAmongTheDeadLetters() {
        TestHost host = host("a", 1, Duration.ofMillis(20));
        host.failing = true;
        Topic.request(config, "poison");
        await().atMost(PATIENCE).untilAsserted(() ->
                assertThat(Topic.all(config.brokers(), config.deadLetters())).singleElement().satisfies(letter -> {
                    assertThat(letter.value()).asString().isEqualTo(Topic.request("poison"));
                    assertThat(letter.headers().lastHeader("code").value()).asString().isEqualTo("CRASHED");
                    assertThat(letter.headers().lastHeader("job").value()).asString().isEqualTo("poison");
                }));
        await().atMost(PATIENCE).untilAsserted(() ->
                assertThat(Topic.claims(config)).last().extracting(Claim::state).isEqualTo("failed"));
    }

    /// The good request that is claimed after the bad one tells that the bad one does not keep the only device.
    @Test
    @Promise(row = 12, fault = "a bug in the import of a claimed request, then a restart")
    void whatCouldNotBeImportedGivesItsDeviceBackAndIsTakenUpByTheNextStart() {
        TestHost host = host("a", 1, Duration.ofMillis(20));
        host.broken = true;
        Topic.request(config, "unlucky");
        await().atMost(PATIENCE).until(() -> host.faults.get() == 1);
        host.broken = false;
        Topic.request(config, "lucky");
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(host.in(JobState.COMPLETED)).hasSize(1));
        assertThat(host.ledger.work().pending()).isNotEmptyDirectory();
        hosts.remove(host);
        host.close();

        TestHost next = host("a", 1, Duration.ofMillis(20));
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(next.in(JobState.COMPLETED))
                .extracting(job -> job.id().text()).containsExactlyInAnyOrder("lucky", "unlucky"));
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(next.ledger.work().pending()).isEmptyDirectory());
    }

    @Test
    void takesABundleThatIsTheMessage() {
        TestHost host = host("a", 1, Duration.ofMillis(20));
        Topic.send(config.brokers(), config.jobs(), List.of(Map.entry("maya.zip", new byte[] {'P', 'K', 3, 4, 5})));
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(host.in(JobState.COMPLETED)).singleElement()
                .satisfies(job -> assertThat(job.name()).isEqualTo("maya")));
    }

    @Test
    void everyHostHearsEveryCommand() {
        TestHost a = host("a", 1, Duration.ZERO);
        TestHost b = host("b", 1, Duration.ZERO);
        // A host that is new begins with what is said from then on, so the first words are said until they are heard.
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(500)).untilAsserted(() -> {
            Topic.send(config.brokers(), config.commands(), List.of(Map.entry("x",
                    "{\"version\":1,\"command\":\"drain\"}".getBytes(StandardCharsets.UTF_8))));
            assertThat(List.of(a, b)).allSatisfy(host -> assertThat(host.commands).isNotEmpty());
        });
        Topic.send(config.brokers(), config.commands(), List.of(
                Map.entry("maya", "what?".getBytes(StandardCharsets.UTF_8)),
                Map.entry("maya", "{\"version\":1,\"command\":\"cancel\",\"job\":\"maya\"}"
                        .getBytes(StandardCharsets.UTF_8))));
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(List.of(a, b)).allSatisfy(host -> {
            assertThat(host.commands).last().isEqualTo(new CommandDesk.Command.Cancel(new JobId("maya")));
            assertThat(host.hostEvents).hasAtLeastOneElementOfType(Event.Rejected.class);
        }));
    }

    /// Half of the requests are rubbish. The rate is printed and not asserted: it is the machine's, too.
    @Promise(row = 9, fault = "thousands of requests at once, every other one rubbish", with = "pretended devices")
    @Test
    void takesRequestsByTheHundred() throws Exception {
        int count = Integer.getInteger("nocturne.requests", 1_000);
        List<Map.Entry<String, byte[]>> records = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String text = i % 2 == 0 ? Topic.request("job-" + i) : Topic.request("job-" + i).replace("bundle", "x" + i);
            records.add(Map.entry("job-" + i, text.getBytes(StandardCharsets.UTF_8)));
        }
        Topic.send(config.brokers(), config.jobs(), records);
        TestHost host = host("a", 100_000, Duration.ofMinutes(5));
        long start = System.nanoTime();
        await().atMost(Duration.ofSeconds(90)).pollInterval(Duration.ofMillis(50))
                .until(() -> host.ledger.stream().count() == count / 2);
        double imported = (System.nanoTime() - start) / 1e9;
        await().atMost(Duration.ofSeconds(90)).until(() -> host.link.lag() == 0);
        System.out.printf("%d requests claimed or refused and imported in %.1f s after the start: %.0f a second%n",
                count,
                imported, count / imported);
        assertThat(Topic.all(config.brokers(), config.deadLetters())).hasSize(count / 2);
        assertThat(Topic.firstClaims(config)).extracting(Claim::request).doesNotHaveDuplicates().hasSize(count / 2);
    }
}
