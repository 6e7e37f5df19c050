package nocturne.service.slot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.util.Set;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.promise.Promise;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CancelTest {
    @TempDir
    private Path folder;

    @Promise(row = 44, fault = "cancel while running, waiting, put aside, loading, failed and unknown; twice",
            with = "fake engine")
    @Test
    void cancelsInEveryState() throws Exception {
        try (SlotBench bench = new SlotBench(folder).start()) {
            JobId aside = bench.add("aside", "step 0: exit 134");
            bench.awaitState(aside, JobState.PARKED);
            JobId failed = bench.add("failed", "step 2: fail 64 RECIPE_INVALID no");
            bench.awaitState(failed, JobState.FAILED);
            JobId running = bench.add("running", "steps 100000", "ms 10", "save 5");
            JobId waiting = bench.add("waiting", "steps 3");
            bench.awaitStep(running, 6);
            for (int twice = 0; twice < 2; twice++) {
                for (JobId id : Set.of(aside, failed, running, waiting, new JobId("nobody"))) bench.slots().cancel(id);
            }
            for (JobId id : Set.of(aside, running, waiting)) {
                bench.awaitState(id, JobState.CANCELLED);
                assertThat(bench.types(id)).endsWith("job.cancelled").containsOnlyOnce("job.cancelled");
            }
            assertThat(bench.job(failed).state()).as("nothing more happens to it").isEqualTo(JobState.FAILED);
            assertThat(bench.run(running).resolve("running_000000005.safetensors")).as("its checkpoint").exists();
            await().atMost(SlotBench.PATIENCE).until(() -> bench.slots().free() == 1);

            JobId loading = bench.add("loading", "load 60000");
            bench.awaitState(loading, JobState.RUNNING);
            bench.slots().cancel(loading);
            bench.awaitState(loading, JobState.CANCELLED);
        }
    }

    @Promise(row = 44, fault = "cancel a trainer that ignores SIGTERM", with = "fake engine")
    @Test
    void freesTheDeviceEvenIfTheTrainerDoesNotListen() throws Exception {
        try (SlotBench bench = new SlotBench(folder).with("grace", "500ms").start()) {
            JobId deaf = bench.add("deaf", "ignore SIGTERM", "steps 100000");
            bench.awaitStep(deaf, 2);
            bench.slots().cancel(deaf);
            bench.awaitState(deaf, JobState.CANCELLED);
            JobId next = bench.add("next", "steps 3");
            bench.awaitState(next, JobState.PUBLISHING);
        }
    }

    @Test
    void aCancelOutranksAPause() throws Exception {
        SlotBench bench = new SlotBench(folder).with("grace", "2s");
        try (bench) {
            bench.start();
            JobId id = bench.add("maya", "ignore SIGTERM", "steps 100000");
            bench.awaitStep(id, 2);
            bench.slots().drain("a break");
            bench.slots().cancel(id);
            bench.awaitState(id, JobState.CANCELLED);
        }
    }
}
