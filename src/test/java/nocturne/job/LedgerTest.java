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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

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
        its.to(id, JobState.RUNNING);
        assertThat(its.ledger.next()).isEmpty();
        its.to(id, JobState.PUBLISHING, JobState.COMPLETED);
        assertThat(its.job(id).isTerminal()).isTrue();
        assertThat(its.oracle.told(id))
                .containsExactly("job.queued", "job.started", "job.progressed", "job.completed");
    }

    @Test
    void aRestartFindsEveryJobAsItWas() {
        for (String id : List.of("c", "a", "b")) its.add(id);
        its.complete(new JobId("a"));
        its.to(new JobId("b"), JobState.PARKED);
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
            its.to(next.get().id(), JobState.RUNNING);
        }
        for (String id : order) its.to(new JobId(id), JobState.QUEUED);
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
    void anotherTryBeginsWithAllItsAttempts() {
        JobId id = its.add("maya");
        its.to(id, JobState.RUNNING);
        its.ledger.note(id, job -> job.withFailures(3).withStep(40));
        its.to(id, JobState.FAILED);
        assertThat(its.ledger.retry(id))
                .extracting(Job::state, Job::attempt, Job::failures, Job::code, Job::step)
                .containsExactly(JobState.QUEUED, 1, 0, "", 40L);
        assertThat(its.oracle.told(id)).containsExactly("job.queued", "job.started", "job.failed", "job.queued");
        assertThat(its.ledger.retry(id)).as("nothing to try again").isSameAs(its.job(id));
    }

    @Test
    void whatHasItsResultOrIsAnothersIsNotTriedAgain() {
        JobId completed = its.add("completed");
        its.complete(completed);
        assertThat(its.ledger.retry(completed).state()).isEqualTo(JobState.COMPLETED);
        JobId superseded = its.add("superseded");
        its.to(superseded, JobState.SUPERSEDED);
        assertThat(its.ledger.retry(superseded).state()).isEqualTo(JobState.SUPERSEDED);
    }

    @ParameterizedTest
    @EnumSource(value = JobState.class, names = {"QUEUED", "PARKED", "PUBLISHING"})
    @Promise(row = 44, fault = "cancel while no trainer works on the job, twice")
    void whatNoTrainerWorksOnIsCancelledAtOnce(JobState state) {
        JobId id = its.add("maya");
        if (state == JobState.PUBLISHING) its.to(id, JobState.RUNNING);
        if (state != JobState.QUEUED) its.to(id, state);
        for (int time = 1; time <= 2; time++) {
            assertThat(its.ledger.cancel(id, "changed my mind")).extracting(Job::state, Job::message)
                    .containsExactly(JobState.CANCELLED, "changed my mind");
        }
        assertThat(its.oracle.told(id)).filteredOn("job.cancelled"::equals).hasSize(1);
    }

    @ParameterizedTest
    @EnumSource(value = JobState.class, names = {"COMPLETED", "FAILED", "CANCELLED", "SUPERSEDED"})
    @Promise(row = 44, fault = "cancel after the job's end")
    void whatHasEndedIsNotCancelled(JobState state) {
        JobId id = its.add("maya");
        its.to(id, JobState.RUNNING);
        if (state == JobState.COMPLETED) its.to(id, JobState.PUBLISHING);
        Job before = its.to(id, state);
        assertThat(its.ledger.cancel(id, "too late")).isSameAs(before);
    }

    /// Whatever the trainer's end was meant to lead to.
    @ParameterizedTest
    @EnumSource(value = JobState.class, names = {"QUEUED", "PARKED", "PUBLISHING", "FAILED", "CANCELLED"})
    @Promise(row = 44, fault = "cancel while a trainer works on the job, twice, with a restart before its end")
    void aRunningJobIsCancelledWhenItsTrainerIsGone(JobState meant) {
        JobId id = its.add("maya");
        its.to(id, JobState.RUNNING);
        for (int time = 1; time <= 2; time++) {
            assertThat(its.ledger.cancel(id, "changed my mind").state()).isEqualTo(JobState.RUNNING);
            its.reopen();
        }
        assertThat(its.to(id, meant).state()).isEqualTo(JobState.CANCELLED);
        assertThat(its.oracle.told(id)).containsExactly("job.queued", "job.started", "job.cancelled");
    }

    @Test
    void twoWhoAddTheSameJobGetOneJob() throws Exception {
        List<Callable<Ledger.Added>> adds = Collections.nCopies(8, () -> {
            Job job = Job.queued(new JobId("maya"), "maya", "test", "hash", "bundle-1", null, 0, its.ledger.now(), 1, 1,
                    null);
            return its.ledger.add(LedgerCase.prepared(its.work), job, LedgerCase.queued(job));
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
            if (job.state() == JobState.RUNNING) its.to(job.id(), JobState.CANCELLED);
        });
        its.ledger.listen(job -> heard.add(job.state().word()));
        its.to(its.add("maya"), JobState.RUNNING);
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

    @Test
    void whoFollowsTheJournalsIsToldOfEveryLine() {
        List<Long> lines = new ArrayList<>();
        its.ledger.listenToJournals(id -> lines.add(its.ledger.sequence(id)));
        JobId id = its.add("maya");
        its.ledger.note(id, job -> job.withPriority(3));
        its.to(id, JobState.RUNNING);
        its.ledger.record(id, new Event.NoticeGiven("HELLO", "there"));
        its.ledger.takeOver(id, List.of(LedgerCase.trainers(id, 1, new Event.Resumed(7, "restart"))));
        assertThat(lines).containsExactly(1L, 2L, 3L, 4L);
    }

    /// The trainer says that it was interrupted; whether the job is, the service says.
    @Test
    void theTrainersEventsAreTakenOverOnceAndWithoutStates() {
        JobId id = its.add("maya");
        its.to(id, JobState.RUNNING);
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
                "checkpoint.written");
    }

    @Test
    void whatIsAddedBesideStatesHasItsPlaceInTheJournal() {
        JobId id = its.add("maya");
        its.ledger.record(id, new Event.Duplicate("inbox:maya (1).zip", "queued"));
        its.to(id, JobState.RUNNING);
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
        its.to(id, JobState.RUNNING);
        assertThat(its.oracle.told(id)).containsExactly("job.queued", "job.started");
    }
}
