package nocturne.service.publish;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import nocturne.event.Event;
import nocturne.event.EventLine;
import nocturne.job.JobId;
import nocturne.problem.Backoff;
import nocturne.promise.Promise;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RelayTest {
    private static final Backoff IMPATIENT = new Backoff(Duration.ofMillis(5), Duration.ofMillis(20));

    @TempDir
    Path home;
    Desk desk;
    final Listener listener = new Listener();
    final List<Relay> relays = new ArrayList<>();

    @BeforeEach
    void open() {
        desk = new Desk(home);
    }

    @AfterEach
    void close() {
        relays.forEach(Relay::close);
        desk.close();
    }

    private Relay relay(Runnable betweenTellingAndRemembering) {
        Relay relay = new Relay(listener, (_, _) -> { }, IMPATIENT, 4, InstantSource.system(),
                betweenTellingAndRemembering);
        relays.add(relay);
        return relay;
    }

    private Relay relay() {
        return relay(() -> { });
    }

    private Journal journal(JobId id) {
        return new Journal(id.text(), desk.ledger.work().journal(id), false);
    }

    private Map<String, List<EventLine>> journals(List<JobId> ids) {
        Map<String, List<EventLine>> journals = new HashMap<>();
        for (JobId id : ids) journals.put(id.text(), desk.journal(id));
        return journals;
    }

    @Test
    void everyLineIsToldOnceAndInOrderWhileTheJournalGrows() {
        Relay relay = relay();
        desk.ledger.listenToJournals(id -> relay.grown(journal(id)));
        List<JobId> ids = new ArrayList<>();
        for (int job = 0; job < 10; job++) ids.add(desk.run("job-" + job));
        for (int step = 1; step <= 20; step++) {
            Event said = new Event.Progressed(step, 20, 0.5, 0.1, 1, 0, 1, Event.LossByNoise.UNKNOWN);
            for (JobId id : ids) desk.ledger.record(id, said);
        }
        await().until(() -> relay.isIdle() && relay.lag() == 0);
        assertThat(listener.heard()).hasSize(10 * 22);
        Listener.assertComplete(listener.heard(), journals(ids));
    }

    /// The relay falls dead between telling and remembering, fifty times, at seeded places, and each time another one
    /// begins where the cursors say.
    @Test
    @Promise(row = 40, fault = "the relay dies between sending and remembering, 50 times")
    void whatIsToldAgainAfterACrashCanBeRecognised() {
        long seed = Long.getLong("seed", System.nanoTime());
        System.out.println("RelayTest -Dseed=" + seed);
        Random chance = new Random(seed);
        List<JobId> ids = List.of(desk.run("one-1"), desk.run("two-2"), desk.run("three-3"));
        int crashes = 0;
        while (crashes < 50) {
            for (JobId id : ids) {
                for (int i = chance.nextInt(5); i >= 0; i--) {
                    desk.ledger.record(id, new Event.Progressed(i, 20, 0.5, 0.1, 1, 0, 1, Event.LossByNoise.UNKNOWN));
                }
            }
            AtomicInteger left = new AtomicInteger(1 + chance.nextInt(3));
            AtomicInteger died = new AtomicInteger();
            Relay doomed = relay(() -> {
                if (left.decrementAndGet() <= 0) {
                    died.incrementAndGet();
                    throw new AssertionError("crash");
                }
            });
            ids.forEach(id -> doomed.grown(journal(id)));
            await().until(doomed::isIdle);
            doomed.close();
            crashes += died.get();
        }
        assertThat(listener.heard().size()).as("something was told again").isGreaterThan(
                Listener.withoutRepeats(listener.heard()).values().stream().mapToInt(List::size).sum());
        Relay last = relay();
        ids.forEach(id -> last.grown(journal(id)));
        await().until(() -> last.isIdle() && last.lag() == 0);
        Listener.assertComplete(listener.heard(), journals(ids));
    }

    @Test
    void whileNobodyIsThereOneTriesAndAllFollowLater() {
        listener.away = true;
        Relay relay = relay();
        List<JobId> ids = new ArrayList<>();
        for (int job = 0; job < 50; job++) ids.add(desk.run("job-" + job));
        ids.forEach(id -> relay.grown(journal(id)));
        await().until(() -> relay.failed() > 20);
        assertThat(relay.lag()).isEqualTo(100);
        assertThat(relay.isAway()).isTrue();
        listener.away = false;
        await().until(() -> relay.isIdle() && relay.lag() == 0);
        assertThat(relay.isAway()).isFalse();
        Listener.assertComplete(listener.heard(), journals(ids));
    }

    @Test
    void anEventThatIsNotTakenHoldsUpItsJobAndNoOther() {
        listener.refuses = "duplicate";
        Relay relay = relay();
        JobId poor = desk.run("poor-1");
        desk.ledger.record(poor, new Event.Duplicate("inbox:again.zip", "running"));
        desk.ledger.record(poor, new Event.Preparing("latents", 1, 2));
        JobId rich = desk.run("rich-1");
        relay.grown(journal(poor));
        relay.grown(journal(rich));
        await().until(() -> relay.failed() > 3 && relay.lag() == 2);
        assertThat(listener.heard()).extracting(EventLine::subject).containsOnly("poor-1", "rich-1").hasSize(4);
        listener.refuses = "nothing";
        await().until(() -> relay.isIdle() && relay.lag() == 0);
        Listener.assertComplete(listener.heard(), journals(List.of(poor, rich)));
    }

    /// Old by its own time and long tried: a clock that says so alone does not count.
    @Test
    @Promise(row = 39, fault = "a clock a year ahead while nobody takes the events")
    void nothingIsLeftOutBecauseOfAClock() {
        listener.away = true;
        InstantSource nextYear = () -> Instant.now().plus(Duration.ofDays(365));
        Relay relay = new Relay(listener, (_, _) -> { }, IMPATIENT, 4, nextYear, () -> { });
        relays.add(relay);
        JobId id = desk.run("maya-1");
        relay.grown(journal(id));
        await().until(() -> relay.failed() > 20);
        assertThat(relay.leftOut()).isZero();
        assertThat(relay.lag()).isEqualTo(2);
    }

    @Test
    void whatNobodyTakesForTooLongIsLeftOutAndCounted() {
        listener.refuses = "queued";
        listener.giveUp = Duration.ofMillis(50);
        Relay relay = relay();
        JobId id = desk.run("maya-1");
        relay.grown(journal(id));
        await().until(() -> relay.isIdle() && relay.lag() == 0);
        assertThat(relay.leftOut()).isEqualTo(1);
        assertThat(listener.heard()).extracting(EventLine::type).containsExactly("nocturne.job.started.v1");
    }

    @Test
    @Promise(row = 14, fault = "the files of an event cannot be put into the outbox")
    void anEventWaitsForTheFilesItSpeaksOf() throws IOException {
        Outbox outbox = new Outbox(desk.ledger, desk.outbox());
        JobId id = desk.run("maya-1");
        AtomicInteger tries = new AtomicInteger();
        Relay relay = new Relay(listener, (_, line) -> {
            tries.incrementAndGet();
            outbox.syncUpTo(id, line.line().sequence());
        }, IMPATIENT, 4, InstantSource.system());
        relays.add(relay);
        Files.writeString(desk.outbox(), "a file where the folder should be");
        String checkpoint = desk.checkpoint(id, 5, "five");
        desk.takeOver(id);
        relay.grown(journal(id));
        await().until(() -> tries.get() > 2);
        assertThat(listener.heard()).isEmpty();
        Files.delete(desk.outbox());
        await().until(() -> relay.isIdle() && relay.lag() == 0);
        assertThat(listener.heard()).hasSize(3);
        assertThat(desk.outbox().resolve("maya-1").resolve(checkpoint)).hasContent("five");
    }

    @Test
    void aDamagedCursorOrJournalCostsRepeatsAndNoLine() throws IOException {
        JobId id = desk.run("maya-1");
        String third = desk.journal(id).getLast().text().replace("0000000002", "0000000003");
        Files.writeString(journal(id).file(), "scribble\n" + third + "\n", StandardOpenOption.APPEND);
        Files.writeString(journal(id).cursor("listener"), "\0\0\0");
        Relay relay = relay();
        relay.grown(journal(id));
        await().until(() -> relay.isIdle() && relay.lag() == 0);
        Files.writeString(journal(id).cursor("listener"), "2 7");
        relay.grown(journal(id));
        await().until(() -> relay.isIdle() && listener.heard().size() == 4);
        assertThat(listener.heard()).extracting(EventLine::sequence).containsExactly(1L, 2L, 3L, 3L);
    }
}
