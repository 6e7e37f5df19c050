package nocturne.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import nocturne.promise.Promise;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A job's folder as version 0.1.0 left it, which every later version reads. Never change the files in
/// `src/test/resources/jobs`; a new schema gets a folder of its own beside them.
class OldJobsTest {
    private static final Path FIRST = Path.of("src/test/resources/jobs/schema-1/maya-7f3a9c21");

    @TempDir
    Path folder;

    /// It was stopped between its state and the event that says so.
    @Test
    @Promise(row = 45, fault = "a job folder of schema 1, stopped in the middle of a transition")
    void aJobOfTheFirstSchemaGoesOn() throws IOException {
        WorkFolder work = new WorkFolder(folder.resolve("work"));
        JobId id = new JobId("maya-7f3a9c21");
        Files.createDirectories(work.job(id));
        for (String file : new String[] {"job.json", "events.jsonl"}) {
            Files.copy(FIRST.resolve(file), work.job(id).resolve(file));
        }
        try (LedgerCase its = new LedgerCase(work.root())) {
            assertThat(its.job(id)).extracting(Job::state, Job::code, Job::priority, Job::step, Job::order, Job::device)
                    .containsExactly(JobState.PARKED, "DISK_FULL", 2, 400L, 7L, "cuda:0");
            assertThat(its.job(id).claim()).isEqualTo(new Job.Claim("maya", 1));
            assertThat(its.ledger.trainerSequence(id)).isEqualTo(9);
            its.to(id, JobState.QUEUED);
            its.complete(id);
            assertThat(its.oracle.told(id)).containsExactly("job.queued", "job.started", "checkpoint.written",
                    "job.parked", "job.interrupted", "job.started", "job.progressed", "job.completed");
            assertThat(its.job(its.add("later")).order()).isEqualTo(8);
            its.oracle.checkRecovered();
        }
    }
}
