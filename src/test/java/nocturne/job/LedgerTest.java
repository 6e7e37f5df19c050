package nocturne.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import nocturne.event.Event;
import nocturne.event.EventLine;
import nocturne.promise.Promise;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LedgerTest {
    @TempDir
    Path folder;
    LedgerCase its;

    @BeforeEach
    void open() {
        its = new LedgerCase(folder.resolve("work"));
    }

    @AfterEach
    void close() {
        its.close();
        its.oracle.check();
    }

    @Test
    void aJobGoesFromTheQueueToItsEndAndTheJournalTellsIt() {
        JobId id = its.add("maya-7f3a");
        assertThat(its.ledger.next()).map(Job::id).contains(id);
        its.start(id);
        assertThat(its.ledger.next()).isEmpty();
        its.complete(id);
        assertThat(its.job(id).isTerminal()).isTrue();
        assertThat(its.oracle.told(id)).containsExactly("job.queued", "job.started", "job.completed");
    }

    @Test
    void aRestartFindsEveryJobAsItWas() {
        for (String id : List.of("c", "a", "b")) its.add(id);
        its.complete(its.start(new JobId("a")).id());
        its.ledger.advance(new JobId("b"), new Transition.Park("DISK_FULL", "no room"));
        // As text: a number that was an int may come back as a long.
        String before = its.ledger.jobs().toString();
        assertThat(its.reopen().jobs().toString()).isEqualTo(before);
        assertThat(its.ledger.jobs()).extracting(job -> job.id().text()).containsExactly("c", "a", "b");
        assertThat(its.ledger.repairs()).isEmpty();
    }

    @Test
    void theHighestPriorityGoesFirstThenTheOldest() {
        its.add("z-first");
        LedgerCase.add(its.ledger, "urgent", 5);
        its.add("a-last");
        assertThat(order()).containsExactly("urgent", "z-first", "a-last");
        its.ledger.note(new JobId("a-last"), job -> job.withPriority(9));
        assertThat(order()).containsExactly("a-last", "urgent", "z-first");
    }

    private List<String> order() {
        List<String> order = new ArrayList<>();
        its.reopen();
        for (var next = its.ledger.next(); next.isPresent(); next = its.ledger.next()) {
            order.add(next.get().id().text());
            its.start(next.get().id());
        }
        for (String id : order) its.ledger.advance(new JobId(id), new Transition.Interrupt(0, "HOST_STOPPING", "bye"));
        return order;
    }

    @Test
    @Promise(row = 39, fault = "the clock jumps a day back and a day on between jobs and restarts")
    void aClockThatJumpsChangesNoOrderAndEndsNothing() {
        its.add("first");
        its.time = its.time.minus(Duration.ofDays(1));
        its.add("second");
        its.time = its.time.plus(Duration.ofDays(2));
        its.add("third");
        its.time = its.time.minus(Duration.ofDays(1));
        assertThat(order()).containsExactly("first", "second", "third");
        assertThat(its.ledger.jobs()).extracting(job -> job.id().text()).containsExactly("first", "second", "third");
        assertThat(its.ledger.jobs()).allMatch(job -> job.state() == JobState.QUEUED && job.failures() == 0);
    }

    @Test
    @Promise(row = 12, fault = "a job whose trainer always crashes, between ten that do not")
    void aJobThatAlwaysCrashesFailsAfterThreeAttemptsAndBlocksNobody() {
        JobId poison = new JobId("job-5");
        for (int i = 0; i < 11; i++) its.add("job-" + i);
        for (var next = its.ledger.next(); next.isPresent(); next = its.ledger.next()) {
            Job job = its.start(next.get().id());
            if (job.id().equals(poison)) its.stumble(poison);
            else its.complete(job.id());
        }
        assertThat(its.job(poison)).extracting(Job::state, Job::attempt, Job::failures, Job::code)
                .containsExactly(JobState.FAILED, 3, 3, "CRASHED");
        assertThat(its.ledger.jobs()).filteredOn(job -> job.state() == JobState.COMPLETED).hasSize(10);
        assertThat(its.oracle.told(poison)).containsExactly("job.queued", "job.started", "job.interrupted",
                "job.started", "job.interrupted", "job.started", "job.failed");
    }

    @Test
    @Promise(row = 12, fault = "input that no attempt can make better")
    void whatNoAttemptCanMakeBetterFailsAtOnce() {
        JobId id = its.add("bad");
        its.start(id);
        its.ledger.advance(id, new Transition.Fail("RECIPE_INVALID", "no", List.of()));
        assertThat(its.job(id)).extracting(Job::state, Job::attempt).containsExactly(JobState.FAILED, 1);
    }

    @Test
    void anInterruptionThatIsNobodysFaultIsNotCounted() {
        JobId id = its.add("maya");
        for (int night = 1; night <= 10; night++) {
            its.start(id);
            its.ledger.advance(id, new Transition.Interrupt(night, "HOURS_OVER", "goes on at 22:00"));
        }
        assertThat(its.job(id)).extracting(Job::state, Job::attempt, Job::failures, Job::step)
                .containsExactly(JobState.QUEUED, 10, 0, 10L);
    }

    @Test
    void anotherTryBeginsWithAllItsAttempts() {
        JobId id = its.add("maya");
        for (int i = 0; i < 3; i++) {
            its.start(id);
            its.stumble(id);
        }
        its.ledger.advance(id, new Transition.Retry());
        assertThat(its.job(id)).extracting(Job::state, Job::attempt, Job::failures, Job::code)
                .containsExactly(JobState.QUEUED, 3, 0, "");
        its.start(id);
        assertThat(its.stumble(id).state()).isEqualTo(JobState.QUEUED);
        assertThat(its.ledger.advance(id, new Transition.Retry())).as("nothing to try again").isEqualTo(its.job(id));
    }

    @Test
    void twoWhoAddTheSameJobGetOneJob() throws Exception {
        List<Callable<Ledger.Added>> adds = Collections.nCopies(8, () -> {
            Job job = Job.queued(new JobId("maya"), "maya", "test", "hash", "bundle-1", null, 0, its.ledger.now(), 1, 1,
                    null);
            return its.ledger.add(LedgerCase.prepared(its.work), job, Transition.queued(job));
        });
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            List<Ledger.Added> added = new ArrayList<>();
            for (Future<Ledger.Added> one : threads.invokeAll(adds)) added.add(one.get());
            assertThat(added).filteredOn(Ledger.Added::isNew).hasSize(1);
            assertThat(added).extracting(one -> one.job().state()).containsOnly(JobState.QUEUED);
        }
        assertThat(its.oracle.told(new JobId("maya"))).containsExactly("job.queued");
    }

    @Test
    void aListenerHearsEveryStateInItsOrderEvenIfItMakesTheNextOneItself() {
        List<String> heard = new ArrayList<>();
        its.ledger.listen(job -> {
            if (job.state() == JobState.RUNNING) its.ledger.cancel(job.id(), "no");
            if (job.state() == JobState.RUNNING) its.ledger.advance(job.id(), new Transition.Cancel("no"));
        });
        its.ledger.listen(job -> heard.add(job.state().word()));
        its.start(its.add("maya"));
        assertThat(heard).containsExactly("queued", "running", "cancelled");
    }

    @Test
    void aListenerThatFailsHarmsNobody() {
        List<Throwable> told = new ArrayList<>();
        Thread.currentThread().setUncaughtExceptionHandler((_, failure) -> told.add(failure));
        its.ledger.listen(_ -> {
            throw new IllegalStateException("mine");
        });
        assertThat(its.state(its.add("maya"))).isEqualTo(JobState.QUEUED);
        Thread.currentThread().setUncaughtExceptionHandler(null);
        assertThat(told).hasSize(1);
    }

    @Test
    void anEventThatIsNotTrueIsRefused() {
        JobId id = its.add("maya");
        assertThatThrownBy(() -> its.ledger.advance(id, job -> job.in(JobState.RUNNING, "", ""),
                new Event.Parked("X", "no"))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> its.ledger.record(id, new Event.Cancelled("no")))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(its.oracle.told(id)).containsExactly("job.queued");
    }

    /// The trainer says that it was interrupted; whether the job is, the service says.
    @Test
    void theTrainersEventsAreTakenOverOnceAndWithoutStates() {
        JobId id = its.add("maya");
        its.start(id);
        List<EventLine> log = List.of(LedgerCase.trainers(id, 1, new Event.Started("maya", 100, 12, "cpu")),
                LedgerCase.trainers(id, 2, new Event.Resumed(7, "restart")),
                LedgerCase.trainers(id, 3, new Event.CheckpointWritten(40, "c.safetensors", 1, "00", 0.1, 0.2)),
                LedgerCase.trainers(id, 4, new Event.Interrupted(41, "STOPPED", "bye")));
        its.ledger.takeOver(id, log.subList(0, 2));
        its.ledger.takeOver(id, log);
        assertThat(its.ledger.trainerSequence(id)).isEqualTo(3);
        assertThat(its.job(id).step()).as("saved").isEqualTo(40);
        its.reopen();
        its.ledger.takeOver(id, log);
        assertThat(its.oracle.told(id)).containsExactly("job.queued", "job.started", "job.resumed",
                "checkpoint.written", "job.interrupted");
    }

    @Test
    void whatIsAddedBesideStatesHasItsPlaceInTheJournal() {
        JobId id = its.add("maya");
        its.ledger.record(id, new Event.Duplicate("inbox:maya (1).zip", "queued"));
        its.start(id);
        assertThat(its.ledger.sequence(id)).isEqualTo(3);
        assertThat(its.oracle.told(id)).containsExactly("job.queued", "job.duplicate", "job.started");
    }

    /// `job.json` is replaced and then the journal refuses: the state is reached, the line is owed and comes before the
    /// next one.
    @Test
    void aLineThatCouldNotBeWrittenIsWrittenBeforeTheNextOne() throws IOException {
        JobId id = its.add("maya");
        Path journal = its.work.journal(id);
        Path away = Files.move(journal, journal.resolveSibling("away"));
        Files.createDirectory(journal);
        assertThatThrownBy(() -> its.ledger.record(id, new Event.NoticeGiven("X", "no")))
                .hasMessageContaining("events.jsonl");
        Files.delete(journal);
        Files.move(away, journal);
        its.start(id);
        assertThat(its.oracle.told(id)).containsExactly("job.queued", "job.started");
    }
}
