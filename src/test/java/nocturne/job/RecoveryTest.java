package nocturne.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import nocturne.event.Event;
import nocturne.promise.Promise;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a start finds, and what it makes of it.
class RecoveryTest {
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
    }

    @Test
    void whatWasBeingUnpackedIsDeletedAndNothingBehindALinkIs() throws IOException {
        Path precious = Files.writeString(folder.resolve("precious.txt"), "mine");
        Files.createDirectories(its.work.incoming().resolve("x/bundle-1/deep"));
        Files.createSymbolicLink(its.work.incoming().resolve("x/bundle-1/link"), folder);
        Files.createSymbolicLink(its.work.incoming().resolve("y"), precious);
        its.reopen();
        assertThat(its.work.incoming()).isEmptyDirectory();
        assertThat(precious).hasContent("mine");
    }

    @Test
    @Promise(row = 14, fault = "the journal ends in the middle of the line that announces the state")
    void halfALineIsCutOffAndTheLineThatWasMeantIsWritten() throws IOException {
        JobId id = its.add("maya");
        its.ledger.advance(id, new Transition.Park("DISK_FULL", "no room"));
        its.ledger.close();
        String text = Files.readString(its.work.journal(id));
        Files.writeString(its.work.journal(id), text.substring(0, text.length() - 20));
        its.reopen();
        assertThat(its.oracle.told(id)).containsExactly("job.queued", "job.parked", "job.notice");
        its.oracle.checkRecovered();
        assertThat(its.ledger.repairs()).singleElement().asString().contains("maya", "middle of a line");
        assertThat(its.reopen().repairs()).isEmpty();
    }

    /// The trainer's log must not be taken over a second time because of a notice that knows nothing of it.
    @Test
    void aRepairedJournalKnowsHowFarTheTrainerWasTakenOver() throws IOException {
        JobId id = its.add("maya");
        its.start(id);
        its.ledger.takeOver(id, List.of(LedgerCase.trainers(id, 9, new Event.NoticeGiven("N", "x"))));
        its.ledger.close();
        Files.writeString(its.work.journal(id), "{\"specversion\":\"1.0\",\"id\":\"ma", StandardOpenOption.APPEND);
        its.reopen();
        assertThat(its.ledger.trainerSequence(id)).isEqualTo(9);
        its.start(id);
        assertThat(its.reopen().trainerSequence(id)).isEqualTo(9);
    }

    @Test
    void aJournalThatIsNoneIsMovedAsideAndANewOneGoesOn() throws IOException {
        JobId id = its.add("maya");
        its.ledger.advance(id, new Transition.Park("DISK_FULL", "no room"));
        its.ledger.close();
        Files.writeString(its.work.journal(id), "somebody's shopping list\n");
        its.reopen();
        its.ledger.advance(id, new Transition.Release());
        assertThat(its.oracle.journal(id)).extracting(line -> line.sequence()).containsExactly(2L, 3L);
        assertThat(its.work.job(id).resolve("events.jsonl-1")).hasContent("somebody's shopping list");
        assertThat(its.ledger.repairs()).hasSize(2).first().asString().contains("events.jsonl-1");
    }

    @Test
    void aFolderWithoutAReadableJobIsPutAsideWithAllThatIsInIt() throws IOException {
        JobId torn = its.add("torn");
        JobId empty = its.add("empty");
        JobId gone = its.add("gone");
        JobId sound = its.add("sound");
        its.ledger.close();
        Files.writeString(its.work.jobFile(torn), "{\"schema\": 1, \"id\": \"torn\", \"sta");
        Files.write(its.work.jobFile(empty), new byte[0]);
        Files.delete(its.work.jobFile(gone));
        its.reopen();
        assertThat(its.ledger.jobs()).extracting(Job::id).containsExactly(sound);
        assertThat(its.ledger.repairs()).hasSize(3);
        for (JobId id : List.of(torn, empty, gone)) {
            assertThat(its.work.unreadable().resolve(id + "-1/bundle-1/recipe.yaml")).exists();
            assertThat(its.work.unreadable().resolve(id + "-1/events.jsonl")).exists();
        }
        its.add("torn");
        its.ledger.close();
        Files.writeString(its.work.jobFile(torn), "null");
        its.reopen();
        assertThat(its.work.unreadable().resolve("torn-2")).isDirectory();
    }

    @Test
    @Promise(row = 45, fault = "a job folder written by a later version")
    void whatALaterVersionWroteIsLeftAsItIs() throws IOException {
        JobId id = its.add("later");
        its.ledger.close();
        String later = Files.readString(its.work.jobFile(id)).replace("\"schema\" : 1", "\"schema\" : 2")
                .replace("\"queued\"", "\"dreaming\"");
        Files.writeString(its.work.jobFile(id), later);
        its.reopen();
        assertThat(its.ledger.jobs()).isEmpty();
        assertThat(its.ledger.isFree(id)).as("its name is taken").isFalse();
        assertThat(its.work.jobFile(id)).hasContent(later);
        assertThat(its.ledger.repairs()).singleElement().asString().contains("later version", "schema is 2");
    }

    @Test
    void ofAJobInTwoFoldersTheLaterStateStays() throws IOException {
        JobId id = its.add("maya");
        its.ledger.close();
        copyJob(id, "maya-backup");
        its.reopen();
        its.ledger.advance(id, new Transition.Park("DISK_FULL", "no room"));
        its.ledger.close();
        copyJob(id, "aa-copy");
        its.reopen();
        assertThat(its.ledger.jobs()).singleElement().extracting(Job::state).isEqualTo(JobState.PARKED);
        assertThat(its.work.jobs()).isDirectoryContaining(path -> path.endsWith("maya"));
        assertThat(its.work.unreadable().resolve("maya-backup-1")).isDirectory();
        assertThat(its.work.unreadable().resolve("aa-copy-1")).isDirectory();
        its.oracle.checkRecovered();
    }

    @Test
    void aFolderThatSomebodyRenamedGetsItsNameBack() throws IOException {
        JobId id = its.add("maya");
        its.ledger.close();
        Files.move(its.work.job(id), its.work.jobs().resolve("holiday pictures"));
        its.reopen();
        assertThat(its.state(id)).isEqualTo(JobState.QUEUED);
        its.oracle.checkRecovered();
    }

    @Test
    @Promise(row = 43, fault = "the service started 20 times while a job that makes progress runs")
    void aRunningJobGoesBackToTheQueueAndNothingIsCounted() {
        JobId id = its.add("maya");
        for (int start = 1; start <= 20; start++) {
            its.start(id);
            int step = start;
            its.ledger.note(id, job -> job.withStep(step));
            its.reopen();
            assertThat(its.state(id)).isEqualTo(JobState.QUEUED);
        }
        assertThat(its.job(id)).extracting(Job::failures, Job::attempt, Job::code)
                .containsExactly(0, 20, "HOST_RESTARTED");
        assertThat(its.oracle.journal(id).getLast().type()).isEqualTo("nocturne.job.interrupted.v1");
        its.oracle.checkRecovered();
    }

    @Test
    @Promise(row = 43, fault = "a job that takes the machine down at the same step every time")
    void threeRestartsAtOneStepCountAsAFailureAndThreeOfThoseAreTheEnd() {
        JobId id = its.add("maya");
        for (int start = 1; start <= 9; start++) {
            its.start(id);
            its.reopen();
            assertThat(its.job(id).failures()).as("after start %d", start).isEqualTo(start / 3);
        }
        assertThat(its.state(id)).isEqualTo(JobState.FAILED);
        its.oracle.checkRecovered();
    }

    @Test
    void parkedAndPublishingJobsStayWhatTheyAre() {
        JobId parked = its.add("parked");
        JobId publishing = its.add("publishing");
        its.ledger.advance(parked, new Transition.Park("DISK_FULL", "no room"));
        its.start(publishing);
        its.ledger.advance(publishing, new Transition.Train(100));
        its.reopen();
        assertThat(its.state(parked)).isEqualTo(JobState.PARKED);
        assertThat(its.state(publishing)).isEqualTo(JobState.PUBLISHING);
        assertThat(its.ledger.repairs()).isEmpty();
    }

    @Test
    @Promise(row = 44, fault = "the service dies between the wish to cancel and the trainer's end")
    void aWishToCancelSurvivesARestart() {
        JobId id = its.add("maya");
        its.start(id);
        assertThat(its.ledger.cancel(id, "changed my mind").state()).isEqualTo(JobState.RUNNING);
        its.reopen();
        assertThat(its.job(id)).extracting(Job::state, Job::message)
                .containsExactly(JobState.CANCELLED, "changed my mind");
        its.oracle.checkRecovered();
    }

    @Test
    @Promise(row = 23, fault = "kill -9 of the service while its trainer, which ignores SIGTERM, goes on",
            with = "a shell that sleeps")
    void aTrainerThatIsStillThereIsEnded() throws Exception {
        Process stubborn = new ProcessBuilder("sh", "-c", "trap '' TERM; while :; do sleep 0.1; done").start();
        JobId id = its.add("maya");
        its.ledger.advance(id, new Transition.Start(Job.Child.of(stubborn.toHandle()), "cpu"));
        its.ledger.close();
        Ledger.open(its.work, "studio", () -> its.time, Attempts.STANDARD,
                Children.asked(Duration.ofMillis(200))).close();
        assertThat(stubborn.waitFor(10, TimeUnit.SECONDS)).isTrue();
        its.reopen();
        assertThat(its.state(id)).isEqualTo(JobState.QUEUED);
    }

    /// The number alone tells nothing: after a restart of the machine it is somebody else's.
    @Test
    @Promise(row = 23, fault = "another process has got the trainer's number", with = "a shell that sleeps")
    void aProcessThatOnlyHasTheTrainersNumberIsLeftAlone() throws Exception {
        Process stranger = new ProcessBuilder("sleep", "600").start();
        try {
            Job.Child now = Job.Child.of(stranger.toHandle());
            Children children = Children.asked(Duration.ofSeconds(5));
            assertThat(children.end(new Job.Child(now.pid(), now.started() - 1, now.boot()))).isTrue();
            assertThat(children.end(new Job.Child(now.pid(), now.started(), "another start"))).isTrue();
            assertThat(stranger.isAlive()).isTrue();
            assertThat(children.end(now)).isTrue();
            assertThat(stranger.waitFor(10, TimeUnit.SECONDS)).isTrue();
        } finally {
            stranger.destroyForcibly();
        }
    }

    @Test
    void theDeviceOfATrainerThatCannotBeEndedIsNamed() {
        JobId id = its.add("maya");
        its.ledger.advance(id, new Transition.Start(LedgerCase.NOBODY, "cuda:1"));
        its.ledger.close();
        its.ledger = Ledger.open(its.work, "studio", () -> its.time, Attempts.STANDARD, _ -> false);
        assertThat(its.ledger.heldDevices()).containsExactly("cuda:1");
        assertThat(its.state(id)).isEqualTo(JobState.QUEUED);
        assertThat(its.ledger.repairs()).hasSize(2);
    }

    private void copyJob(JobId id, String name) throws IOException {
        Path copy = its.work.jobs().resolve(name);
        Files.createDirectories(copy);
        for (String file : new String[] {"job.json", "events.jsonl"}) {
            Files.copy(its.work.job(id).resolve(file), copy.resolve(file), StandardCopyOption.REPLACE_EXISTING);
        }
    }
}
