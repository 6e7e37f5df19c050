package nocturne.service.publish;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import nocturne.event.Event;
import nocturne.event.EventLine;
import nocturne.job.JobId;
import nocturne.problem.Backoff;
import nocturne.promise.Promise;
import nocturne.service.broker.BrokerProcess;
import nocturne.service.broker.TestBroker;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The relay over the shipped route to a real broker.
class KafkaRelayTest {
    private static final Backoff IMPATIENT = new Backoff(Duration.ofMillis(100), Duration.ofMillis(500));
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    @TempDir
    Path home;
    Desk desk;
    final List<AutoCloseable> open = new ArrayList<>();

    @BeforeEach
    void open() {
        desk = new Desk(home);
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable closeable : open.reversed()) closeable.close();
        desk.close();
    }

    private Relay relay(String brokers, String topic, int attach) throws Exception {
        EventsRoute route = new EventsRoute(brokers, topic);
        open.add(route);
        Relay relay = new Relay(new KafkaTarget(route.template(), new Attachments(attach), brokers), (_, _) -> { },
                IMPATIENT, 8, InstantSource.system());
        open.add(relay);
        return relay;
    }

    private Topic topic(String brokers, String topic) {
        Topic reader = new Topic(brokers, topic);
        open.add(reader);
        return reader;
    }

    private Journal journal(JobId id) {
        return new Journal(id.text(), desk.ledger.work().journal(id), false);
    }

    private Map<String, List<EventLine>> journals() {
        Map<String, List<EventLine>> journals = new TreeMap<>();
        desk.ledger.jobs().forEach(job -> journals.put(job.id().text(), desk.journal(job.id())));
        return journals;
    }

    @Test
    void aRecordIsTheLineItsKeyTheJobAndASmallSampleTravelsBesideIt() throws Exception {
        String name = TestBroker.topic("events", 1);
        Relay relay = relay(TestBroker.bootstrap(), name, 10);
        JobId id = desk.run("maya-1");
        desk.sample(id, 5, "small");
        desk.sample(id, 10, "too large to travel");
        desk.takeOver(id);
        relay.grown(journal(id));
        List<ConsumerRecord<String, byte[]>> records =
                topic(TestBroker.bootstrap(), name).readUntil(read -> read.size() == 4);
        assertThat(Topic.lines(records)).extracting(EventLine::text)
                .containsExactlyElementsOf(desk.journal(id).stream().map(EventLine::text).toList());
        assertThat(records).allSatisfy(record -> {
            assertThat(record.key()).isEqualTo("maya-1");
            assertThat(header(record, "content-type")).isEqualTo("application/cloudevents+json; charset=UTF-8");
        });
        assertThat(header(records.get(2), "attachment")).isEqualTo("small");
        assertThat(header(records.get(2), "attachment-content-type")).isEqualTo("image/png");
        assertThat(records.get(2).headers()).hasSize(3);
        assertThat(records.get(3).headers()).as("nothing beside the line").hasSize(1);
        await().until(() -> relay.isIdle() && relay.lag() == 0);
    }

    private static String header(ConsumerRecord<String, byte[]> record, String name) {
        return new String(record.headers().lastHeader(name).value(), StandardCharsets.UTF_8);
    }

    /// Nobody at the start; then a broker that is killed in the middle and comes back. The journals grow all the time.
    @Test
    @Promise(row = 32, fault = "no broker at the start, kill -9 in the middle, back later")
    @Promise(row = 40, fault = "kill -9 of the broker while events are on their way")
    void everythingArrivesInOrderThoughTheBrokerComesLateAndIsKilled() throws Exception {
        Path folder = TestBroker.folder();
        BrokerProcess first = BrokerProcess.start(folder, TestBroker.port());
        open.add(first);
        String brokers = first.bootstrap();
        first.kill();
        Relay relay = relay(brokers, "events", 0);
        desk.ledger.listenToJournals(id -> relay.grown(journal(id)));
        List<JobId> ids = new ArrayList<>();
        for (int job = 0; job < 5; job++) ids.add(desk.run("job-" + job));
        await().atMost(PATIENCE).until(relay::isAway);
        assertThat(relay.lag()).isEqualTo(10);
        BrokerProcess second = BrokerProcess.start(folder, first.port());
        open.add(second);
        grow(ids, 100);
        await().atMost(PATIENCE).until(() -> relay.lag() < 400);
        second.kill();
        grow(ids, 50);
        await().atMost(PATIENCE).until(relay::isAway);
        BrokerProcess third = BrokerProcess.start(folder, first.port());
        open.add(third);
        Topic topic = topic(brokers, "events");
        await().atMost(PATIENCE).until(() -> relay.isIdle() && relay.lag() == 0);
        topic.readUntil(read -> Listener.withoutRepeats(Topic.lines(read)).values().stream()
                .mapToInt(List::size).sum() >= 5 * 152);
        Listener.assertComplete(Topic.lines(topic.readUntil(_ -> true)), journals());
    }

    private void grow(List<JobId> ids, int lines) {
        for (int i = 0; i < lines; i++) {
            Event said = new Event.Progressed(i, 20, 0.5, 0.1, 1, 0, 1, Event.LossByNoise.UNKNOWN);
            for (JobId id : ids) desk.ledger.record(id, said);
        }
    }
}
