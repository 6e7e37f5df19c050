package nocturne.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.concurrent.TimeUnit;
import nocturne.io.CrashPoints;
import nocturne.promise.Promise;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// A service in small is stopped dead at every named place of the package, goes on, and every job still comes to the
/// one end it is meant to come to.
class CrashTest {
    private static final int KILLED = 137;
    /// The states that a name ending with a dot is completed by.
    private static final List<String> STATES =
            List.of("running", "parked", "queued", "publishing", "completed", "failed", "cancelled");
    /// Places that this workload never comes by; each has a test of its own.
    private static final List<String> ELSEWHERE = List.of("recovery.put-aside");
    private static final Map<String, JobState> ENDS = Map.of("job-1", JobState.COMPLETED, "job-2", JobState.FAILED,
            "job-3", JobState.CANCELLED, "job-4", JobState.COMPLETED, "job-5", JobState.COMPLETED);

    @TempDir
    Path folder;

    static List<String> places() {
        List<String> places = new ArrayList<>();
        for (String name : CrashPoints.in("nocturne/job")) {
            if (ELSEWHERE.contains(name)) continue;
            if (!name.endsWith(".")) {
                places.add(name + "@2");
                continue;
            }
            for (String state : STATES) places.add(name + state);
        }
        return places;
    }

    @ParameterizedTest
    @MethodSource("places")
    @Promise(row = 1, fault = "the process halts at each named place in turn")
    @Promise(row = 14, fault = "the process halts at each named place in turn")
    @Promise(row = 46, fault = "the process halts between two deletions of a cleaning")
    void whereverItStopsEveryJobComesToItsEnd(String place) throws Exception {
        WorkFolder work = new WorkFolder(folder.resolve("work"));
        Process process = LedgerWorkload.start(work, place, "work");
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as("it came by").isEqualTo(KILLED);
        LedgerOracle oracle = new LedgerOracle(work);
        oracle.check();
        try (Ledger ledger = LedgerWorkload.open(work)) {
            oracle.checkRecovered();
            LedgerWorkload.run(ledger);
        }
        SequencedMap<JobId, Job> jobs = oracle.checkRecovered();
        assertThat(jobs).hasSize(LedgerWorkload.JOBS);
        jobs.forEach((id, job) -> assertThat(job.state()).as(id.text()).isEqualTo(ENDS.get(id.text())));
        assertThat(work.incoming()).isEmptyDirectory();
        for (int cleaned = 1; cleaned < LedgerWorkload.JOBS; cleaned++) {
            assertThat(work.job(new JobId("job-" + cleaned)).resolve("bundle-1")).doesNotExist();
        }
        assertThat(Files.exists(work.job(new JobId("job-5")).resolve("bundle-1"))).as("the newest").isTrue();
    }
}
