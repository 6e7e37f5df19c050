package nocturne.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
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
        its.to(id, JobState.PARKED);
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
        its.to(id, JobState.RUNNING);
        its.ledger.takeOver(id, List.of(LedgerCase.trainers(id, 9, new Event.NoticeGiven("N", "x"))));
        its.ledger.close();
        Files.writeString(its.work.journal(id), "{\"specversion\":\"1.0\",\"id\":\"ma", StandardOpenOption.APPEND);
        its.reopen();
        assertThat(its.ledger.trainerSequence(id)).isEqualTo(9);
        its.to(id, JobState.RUNNING);
        assertThat(its.reopen().trainerSequence(id)).isEqualTo(9);
    }

    @Test
    void aJournalThatIsNoneIsMovedAsideAndANewOneGoesOn() throws IOException {
        JobId id = its.add("maya");
        its.to(id, JobState.PARKED);
        its.ledger.close();
        Files.writeString(its.work.journal(id), "somebody's shopping list\n");
        its.reopen();
        its.to(id, JobState.QUEUED);
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
        its.to(id, JobState.PARKED);
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

    /// Whoever runs jobs sees to the running ones, and whoever publishes to those being published.
    @Test
    @Promise(row = 43, fault = "the ledger opened 20 times")
    void noJobsStateIsChanged() {
        List<JobId> ids = new ArrayList<>();
        for (JobState state : JobState.values()) {
            if (state == JobState.REFUSED) continue;
            JobId id = its.add(state.word());
            ids.add(id);
            if (state != JobState.QUEUED) its.to(id, JobState.RUNNING);
            if (state == JobState.COMPLETED) its.to(id, JobState.PUBLISHING);
            if (state != JobState.QUEUED && state != JobState.RUNNING) its.to(id, state);
        }
        for (int start = 0; start < 20; start++) its.reopen();
        assertThat(ids).allSatisfy(id -> assertThat(its.state(id).word()).isEqualTo(id.text()));
        assertThat(its.ledger.repairs()).isEmpty();
        its.oracle.checkRecovered();
    }

    private void copyJob(JobId id, String name) throws IOException {
        Path copy = its.work.jobs().resolve(name);
        Files.createDirectories(copy);
        for (String file : new String[] {"job.json", "events.jsonl"}) {
            Files.copy(its.work.job(id).resolve(file), copy.resolve(file), StandardCopyOption.REPLACE_EXISTING);
        }
    }
}
