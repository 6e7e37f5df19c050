package nocturne.desk;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import nocturne.event.Event;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.job.Ledger;
import nocturne.job.WorkFolder;
import nocturne.problem.Problem;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The answer to a submission is found among the jobs; the service that gives it is played by the test.
final class AnswerTest {
    private static final String ORIGIN = "inbox:maya.zip";
    private static final String NOON = "2026-11-21T12:00:00Z";

    @TempDir
    private Path folder;

    private Ledger ledger;

    @BeforeEach
    void openLedger() {
        ledger = Ledger.open(new WorkFolder(folder), "here", InstantSource.system());
    }

    @AfterEach
    void closeLedger() {
        ledger.close();
    }

    @Test
    void aNewJobOfThatOriginIsTheAnswer() throws IOException {
        add("before", ORIGIN);
        Answer answer = new Answer(ledger.work());
        add("somebody-elses", "inbox:other.zip");
        Job maya = add("maya", ORIGIN);
        assertThat(answer.await(ORIGIN, Duration.ofMinutes(1)))
                .hasValueSatisfying(verdict -> assertThat(verdict.job().id()).isEqualTo(maya.id()))
                .hasValueSatisfying(verdict -> assertThat(verdict.isDuplicate()).isFalse());
    }

    @Test
    void aRefusalIsAnAnswerWithItsProblems() throws IOException {
        Answer answer = new Answer(ledger.work());
        List<Problem> problems = List.of(new Problem("BUNDLE_INVALID", "maya.zip", "is empty"));
        Path prepared = Files.createDirectories(ledger.work().incoming().resolve("maya"));
        ledger.add(prepared, Job.refused(new JobId("maya-1"), "maya", ORIGIN, "", NOON, problems, null),
                new Event.Rejected("maya", problems));
        assertThat(answer.await(ORIGIN, Duration.ofMinutes(1))).hasValueSatisfying(verdict -> {
            assertThat(verdict.job().state()).isEqualTo(JobState.REFUSED);
            assertThat(verdict.job().problems()).isEqualTo(problems);
        });
    }

    @Test
    void aDuplicateIsAnsweredByTheJobThatIsThere() throws IOException {
        Job maya = add("maya", "inbox:an-earlier-name.zip");
        ledger.record(maya.id(), new Event.Duplicate(ORIGIN, "queued"));
        Answer answer = new Answer(ledger.work());
        ledger.record(maya.id(), new Event.NoticeGiven("X", "something else"));
        assertThat(answer.await(ORIGIN, Duration.ZERO)).as("what was written before is no answer").isEmpty();
        ledger.record(maya.id(), new Event.Duplicate(ORIGIN, "queued"));
        assertThat(answer.await(ORIGIN, Duration.ofMinutes(1))).hasValueSatisfying(verdict -> {
            assertThat(verdict.job().id()).isEqualTo(maya.id());
            assertThat(verdict.isDuplicate()).isTrue();
        });
    }

    private Job add(String name, String origin) throws IOException {
        String hash = "0123456789abcdef".repeat(4);
        Path prepared = Files.createDirectories(ledger.work().incoming().resolve(name));
        return ledger.add(prepared, Job.queued(JobId.of(name, hash), name, origin, hash, "bundle", null, 0, NOON, 600,
                20, null), new Event.Queued(name, origin, hash, 600, 20)).job();
    }
}
