package nocturne.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import nocturne.event.Event;
import nocturne.io.FolderTree;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.promise.Promise;
import nocturne.service.CommandDesk.Command;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CommandsTest {
    private static final Job.Child TRAINER = new Job.Child(Integer.MAX_VALUE, 1, "boot");

    @TempDir
    Path folder;
    IntakeCase its;
    Commands commands;
    JobId id;
    final List<Object> asked = new ArrayList<>();
    final List<Event> told = new ArrayList<>();

    @BeforeEach
    void open() throws IOException {
        its = new IntakeCase(folder);
        commands = new Commands(its.ledger, new RunningJobs() {
            @Override
            public void cancel(JobId job) {
                asked.add(job);
            }

            @Override
            public void drain(String reason) {
                asked.add(reason);
            }
        }, told::add);
        id = IntakeCase.job(its.drop(its.zip("maya"))).id();
    }

    @AfterEach
    void close() {
        its.close();
        its.oracle.checkRecovered();
    }

    @Test
    @Promise(row = 44, fault = "cancel of a waiting job, twice")
    void aWaitingJobIsCancelledAtOnce() {
        run(new Command.Cancel(id));
        run(new Command.Cancel(id));
        assertThat(its.job(id)).extracting(Job::state, Job::message)
                .containsExactly(JobState.CANCELLED, "cancelled by test");
        assertThat(its.told(its.job(id))).containsExactly("job.queued", "job.cancelled");
        assertThat(asked).isEmpty();
    }

    @Test
    @Promise(row = 44, fault = "cancel of a running job, twice")
    void theTrainerOfARunningJobIsEnded() {
        start();
        run(new Command.Cancel(id));
        run(new Command.Cancel(id));
        assertThat(asked).containsOnly(id);
        assertThat(its.job(id).cancelling()).isTrue();
        assertThat(its.job(id).state()).isEqualTo(JobState.RUNNING);
    }

    @Test
    @Promise(row = 44, fault = "every command for a job that nobody knows")
    void aJobThatNobodyKnowsIsSaidInTheHostsJournal() {
        JobId stranger = new JobId("stranger");
        run(new Command.Cancel(stranger));
        run(new Command.Retry(stranger));
        run(new Command.Prioritise(stranger, 3));
        assertThat(told).hasSize(3).allSatisfy(event -> assertThat(event).isInstanceOfSatisfying(
                Event.NoticeGiven.class, notice -> {
                    assertThat(notice.code()).isEqualTo(Commands.REFUSED);
                    assertThat(notice.message()).contains("stranger", "no such job");
                }));
        assertThat(asked).isEmpty();
        assertThat(its.ledger.jobs()).hasSize(1);
    }

    @Test
    void whatWasCancelledIsTriedAgainOnce() {
        run(new Command.Cancel(id));
        run(new Command.Retry(id));
        run(new Command.Retry(id));
        assertThat(its.job(id).state()).isEqualTo(JobState.QUEUED);
        assertThat(its.told(its.job(id))).containsExactly("job.queued", "job.cancelled", "job.queued");
        assertThat(told).isEmpty();
    }

    @Test
    void whatCannotBeTriedAgainIsSaidWithWhatToDo() throws IOException {
        run(new Command.Cancel(id));
        FolderTree.delete(its.work.job(id).resolve(its.job(id).bundle()));
        run(new Command.Retry(id));
        assertThat(its.job(id).state()).isEqualTo(JobState.CANCELLED);
        JobId completed = IntakeCase.job(its.drop(its.zip("done"))).id();
        its.ledger.advance(completed, job -> job.startedAs(TRAINER, "cpu"), new Event.Started("done", 20, 1, "cpu"));
        its.ledger.note(completed, job -> job.in(JobState.PUBLISHING, "", ""));
        its.ledger.advance(completed, job -> job.in(JobState.COMPLETED, "", ""),
                new Event.Completed(20, "a", "b", 0, "r"));
        run(new Command.Retry(completed));
        assertThat(told).extracting(event -> ((Event.NoticeGiven) event).message())
                .satisfiesExactly(first -> assertThat(first).contains("cleaned away"),
                        second -> assertThat(second).contains("completed"));
    }

    @Test
    void aPriorityCountsAtOnceAndAfterARestart() throws IOException {
        JobId other = IntakeCase.job(its.drop(its.zip("other"))).id();
        run(new Command.Prioritise(other, 5));
        assertThat(its.ledger.next()).map(Job::id).contains(other);
        its.close();
        its = new IntakeCase(folder);
        assertThat(its.ledger.next()).map(Job::id).contains(other);
    }

    @Test
    void draining() {
        run(new Command.Drain("an update"));
        assertThat(asked).containsExactly("an update");
    }

    private void start() {
        its.ledger.advance(id, job -> job.startedAs(TRAINER, "cpu"), new Event.Started("maya", 20, 1, "cpu"));
    }

    private void run(Command command) {
        commands.run(command, "test");
    }
}
