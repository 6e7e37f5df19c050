package nocturne.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import nocturne.io.FolderTree;
import nocturne.promise.Promise;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RetentionTest {
    private static final Duration WEEK = Duration.ofDays(7);

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
    @Promise(row = 46, fault = "links to precious files inside a job that is cleaned")
    void onlyWhatIsListedGoesAndNothingBehindALink() throws IOException {
        Path canary = Files.createDirectories(folder.resolve("precious"));
        Files.writeString(canary.resolve("canary.txt"), "alive");
        JobId id = ended("maya");
        Path job = its.work.job(id);
        Path run = its.work.run(id);
        Files.createSymbolicLink(job.resolve("bundle-1/link"), canary);
        Files.createSymbolicLink(job.resolve("bundle-2"), canary);
        Files.createSymbolicLink(run.resolve(".state/link"), canary.resolve("canary.txt"));
        assertThat(cleaned(WEEK, 0).jobs()).containsExactly(id);

        assertThat(canary.resolve("canary.txt")).hasContent("alive");
        assertThat(job.resolve("bundle-1")).doesNotExist();
        assertThat(Files.isSymbolicLink(job.resolve("bundle-2"))).isFalse();
        assertThat(run.resolve(".state")).doesNotExist();
        assertThat(run.resolve("adapter.safetensors")).as("a result").exists();
        assertThat(run.resolve("checkpoints/step-40.safetensors")).as("a checkpoint").exists();
        assertThat(its.work.trainerLog(id)).exists();
        assertThat(its.reopen().jobs()).singleElement().extracting(Job::state).isEqualTo(JobState.COMPLETED);
        its.oracle.checkRecovered();
    }

    @Test
    @Promise(row = 46, fault = "the run folder is a link to somebody else's")
    void aRunFolderThatIsALinkIsLeftAlone() throws IOException {
        JobId id = ended("maya");
        Path elsewhere = Files.createDirectories(folder.resolve("elsewhere/.state"));
        FolderTree.delete(its.work.run(id));
        Files.createSymbolicLink(its.work.run(id), elsewhere.getParent());
        cleaned(WEEK, 0);
        assertThat(elsewhere).isDirectory();
    }

    @Test
    void theNewestAndTheYoungAreLeftAlone() throws IOException {
        JobId old = ended("old");
        JobId newer = ended("newer");
        its.time = its.time.plus(WEEK).plusSeconds(1);
        ended("young");
        assertThat(cleanedNow(WEEK, 2).jobs()).containsExactly(old);
        assertThat(cleanedNow(WEEK, 2).jobs()).as("nothing left to do").isEmpty();
        assertThat(cleanedNow(WEEK, 0).jobs()).as("but not the young one").containsExactly(newer);
    }

    @Test
    @Promise(row = 39, fault = "the clock jumps a year on before a cleaning")
    void aClockThatJumpsCannotCleanTheNewest() throws IOException {
        ended("a");
        ended("b");
        its.time = its.time.plus(Duration.ofDays(365));
        assertThat(cleanedNow(WEEK, 2).jobs()).isEmpty();
    }

    @Test
    void whatHasNotEndedIsNotTouched() throws IOException {
        JobId id = its.add("maya");
        its.time = its.time.plus(WEEK.multipliedBy(2));
        its.to(id, JobState.RUNNING);
        assertThat(cleanedNow(WEEK, 0).jobs()).isEmpty();
        assertThat(its.work.job(id).resolve("bundle-1/recipe.yaml")).exists();
    }

    @Test
    void whatWasCleanedCannotBeTriedAgain() throws IOException {
        JobId id = its.add("maya");
        its.ledger.cancel(id, "no");
        cleaned(WEEK, 0);
        assertThat(its.ledger.retry(id).state()).isEqualTo(JobState.CANCELLED);
        assertThat(its.job(id).bundle()).isEmpty();
    }

    /// The clock is asked after the jobs were listed and before any of them is locked.
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Promise(row = 46, fault = "a job tried again, and ended again, between the look at it and its cleaning")
    void whatIsTriedAgainAtThatMomentKeepsItsBundle(boolean endsAtOnce) throws IOException {
        JobId id = its.add("maya");
        its.ledger.cancel(id, "no");
        its.time = its.time.plus(WEEK).plusSeconds(1);
        Retention.Cleaned cleaned = new Retention(its.ledger, WEEK, 0, () -> {
            its.ledger.retry(id);
            if (endsAtOnce) its.ledger.cancel(id, "no");
            return its.time;
        }).clean();
        assertThat(cleaned).isEqualTo(new Retention.Cleaned(List.of(), List.of()));
        assertThat(its.work.job(id).resolve("bundle-1/recipe.yaml")).exists();
        assertThat(its.job(id).bundle()).isEqualTo("bundle-1");
        assertThat(its.state(id)).isEqualTo(endsAtOnce ? JobState.CANCELLED : JobState.QUEUED);
    }

    private Retention.Cleaned cleaned(Duration age, int newest) {
        its.time = its.time.plus(age).plusSeconds(1);
        return cleanedNow(age, newest);
    }

    private Retention.Cleaned cleanedNow(Duration age, int newest) {
        Retention.Cleaned cleaned = new Retention(its.ledger, age, newest, () -> its.time).clean();
        assertThat(cleaned.troubles()).isEmpty();
        return cleaned;
    }

    private JobId ended(String name) throws IOException {
        JobId id = its.add(name);
        its.complete(id);
        Path run = its.work.run(id);
        Files.createDirectories(run.resolve(".state"));
        Files.createDirectories(run.resolve("checkpoints"));
        Files.writeString(run.resolve(".state/step-1.safetensors"), "state");
        Files.writeString(run.resolve(".nocturne-1-1.part"), "half");
        Files.writeString(run.resolve("adapter.safetensors"), "result");
        Files.writeString(run.resolve("checkpoints/step-40.safetensors"), "result");
        Files.writeString(its.work.trainerLog(id), "words");
        return id;
    }
}
