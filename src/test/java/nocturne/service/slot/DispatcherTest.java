package nocturne.service.slot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import nocturne.event.EventLine;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.promise.Promise;
import nocturne.service.SlotReport;
import nocturne.service.fake.FakeEngine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DispatcherTest {
    @TempDir
    private Path folder;

    @Test
    void runsAJobAndTellsWhatOthersShouldKnow() throws Exception {
        try (SlotBench bench = new SlotBench(folder).start()) {
            JobId id = bench.add("maya", "steps 20", "save 10", "sample 10");
            Job trained = bench.awaitState(id, JobState.PUBLISHING);
            assertThat(trained.step()).isEqualTo(20);
            assertThat(trained.attempt()).isEqualTo(1);
            assertThat(trained.child()).as("no process any more").isNull();
            assertThat(bench.run(id).resolve("maya.safetensors")).hasBinaryContent(FakeEngine.result(20, 4096));

            List<EventLine> journal = bench.journal(id);
            assertThat(bench.types(id)).startsWith("job.queued", "job.started")
                    .containsSubsequence("job.preparing", "job.progressed", "sample.written")
                    .contains("checkpoint.written").endsWith("job.progressed")
                    .doesNotContain("job.stepped", "job.completed").containsOnlyOnce("job.started");
            assertThat(journal).extracting(EventLine::sequence).doesNotHaveDuplicates().isSorted();
            assertThat(journal.getLast().data().path("step").asLong()).isEqualTo(20);
        }
    }

    @Test
    void tellsTheFirstStepAtOnceAndThenNowAndThen() throws Exception {
        try (SlotBench bench = new SlotBench(folder).with("progress", "1h").start()) {
            JobId id = bench.add("long", "steps 100000", "ms 5", "save 100000", "sample 100000");
            await().atMost(SlotBench.PATIENCE).until(() -> bench.types(id).contains("job.progressed"));
            bench.awaitStep(id, 50);
            assertThat(bench.types(id)).containsOnlyOnce("job.progressed");
            EventLine progress = bench.journal(id).getLast();
            assertThat(progress.data().path("secondsPerStep").asDouble()).isEqualTo(0.005);
            assertThat(progress.data().path("etaSeconds").asLong()).isBetween(490L, 500L);
        }
    }

    @Promise(row = 13, fault = "8 devices, 24 jobs at once", with = "fake engine")
    @Test
    void keepsEveryDeviceBusyAndNeverGivesOneTwice() throws Exception {
        Path exclusive = folder.resolve("exclusive");
        List<String> devices = new ArrayList<>();
        for (int i = 0; i < 8; i++) devices.add("cuda:" + i);
        try (SlotBench bench = new SlotBench(folder).with("slots", devices).start()) {
            assertThat(bench.slots().free()).isEqualTo(8);
            List<JobId> jobs = new ArrayList<>();
            for (int i = 0; i < 24; i++) jobs.add(bench.add("job-" + i, "exclusive " + exclusive, "ms 5"));
            await().atMost(SlotBench.PATIENCE).until(() -> bench.slots().slots().stream()
                    .allMatch(slot -> slot.condition() == SlotReport.Condition.BUSY));
            assertThat(bench.slots().free()).isZero();
            for (JobId id : jobs) bench.awaitState(id, JobState.PUBLISHING);
            assertThat(exclusive.resolve("violations")).doesNotExist();
            assertThat(jobs.stream().map(id -> bench.job(id).device()).distinct()).hasSize(8);
            await().atMost(SlotBench.PATIENCE).until(() -> bench.slots().free() == 8);
        }
    }

    @Test
    void takesTheMostUrgentFirst() throws Exception {
        try (SlotBench bench = new SlotBench(folder)) {
            JobId first = bench.add("first", "steps 2");
            JobId urgent = bench.add(5, "urgent", "steps 2");
            bench.start();
            bench.awaitState(first, JobState.PUBLISHING);
            assertThat(started(bench, urgent)).isLessThanOrEqualTo(started(bench, first));
        }
    }

    private static String started(SlotBench bench, JobId id) throws IOException {
        return bench.journal(id).stream().filter(line -> line.type().equals("nocturne.job.started.v1"))
                .map(EventLine::time).findFirst().orElseThrow();
    }

    /// A canary in the service's environment is looked for where the kernel shows a process's variables and words, and
    /// in everything that lies on the disk afterwards.
    @Promise(row = 36, fault = "a secret in the service's environment", with = "fake engine")
    @Test
    void givesATrainerNoSecretOfTheService() throws Exception {
        SlotBench bench = new SlotBench(folder).with("trainer.environment", "WANTED");
        SlotFactory.World world = bench.world();
        var variables = new java.util.HashMap<>(world.variables());
        variables.put("AWS_SECRET_ACCESS_KEY", "canary-7f3a");
        variables.put("WANTED", "yes");
        bench.in(new SlotFactory.World(variables, world.processes(), world.clock(), world.nanos(),
                world.usableBytes()));
        try (bench) {
            bench.start();
            JobId id = bench.add("maya", "steps 100000", "ms 20", "step 3: fail 70 BUG password=canary-7f3a");
            JobId other = bench.add("other", "steps 100000", "ms 20");
            bench.awaitState(id, JobState.FAILED);
            bench.awaitStep(other, 1);
            long pid = bench.job(other).child().pid();
            String environment = Files.readString(Path.of("/proc/" + pid + "/environ"));
            assertThat(environment).doesNotContain("canary").contains("WANTED=yes").contains("PATH=");
            assertThat(Files.readString(Path.of("/proc/" + pid + "/cmdline"))).doesNotContain("canary");
            assertThat(bench.job(id).message()).isEqualTo("password=***");
            assertThat(Files.readString(bench.ledger().work().journal(id))).doesNotContain("canary");
        }
    }
}
