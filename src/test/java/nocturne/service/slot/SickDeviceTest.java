package nocturne.service.slot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import nocturne.event.Event;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.promise.Promise;
import nocturne.service.SlotReport.Condition;
import nocturne.service.fake.FakeEngine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A sick device stops taking jobs, and the host goes on. What the driver would say comes from a file.
final class SickDeviceTest {
    private static final String WELL = "{\"cuda:0\":{\"usedBytes\":7},\"cuda:1\":{}}";

    @TempDir
    private Path folder;

    private Path feed() {
        return folder.resolve("feed.jsonl");
    }

    private void say(String devices) throws IOException {
        Files.writeString(feed(), devices + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    private SlotBench bench() throws IOException {
        say(WELL);
        return new SlotBench(folder).with("slots", "cuda:0,cuda:1").with("gpu.feed", feed().toString())
                .with("gpu.poll", "20ms");
    }

    @Promise(row = 28, fault = "recovery action reset, memory errors, off the bus: while a job runs there",
            with = "scripted GPU feed, fake engine")
    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "GPU_NEEDS_RESET; {\"cuda:0\":{\"recovery\":\"reset\"},\"cuda:1\":{}}",
        "GPU_NEEDS_RESET; {\"cuda:0\":{\"recovery\":\"drain_and_reset\"},\"cuda:1\":{}}",
        "GPU_MEMORY_ERRORS; {\"cuda:0\":{\"uncorrectable\":1},\"cuda:1\":{}}",
        "GPU_LOST; {\"cuda:1\":{}}"})
    void aSickDeviceIsLeftAndTheJobGoesOnElsewhere(String code, String sick) throws Exception {
        try (SlotBench bench = bench().start()) {
            JobId id = bench.add("maya", "steps 60", "ms 20", "save 100");
            bench.awaitStep(id, 3);
            assertThat(bench.job(id).device()).isEqualTo("cuda:0");
            say(sick);
            Job trained = bench.awaitState(id, JobState.PUBLISHING);
            assertThat(trained.device()).isEqualTo("cuda:1");
            assertThat(trained.failures()).as("not counted").isZero();
            assertThat(bench.interruptions(id)).containsExactly(code);
            assertThat(bench.run(id).resolve("maya.safetensors")).hasBinaryContent(FakeEngine.result(60, 4096));
            assertThat(condition(bench, "cuda:0")).isEqualTo(Condition.QUARANTINED);

            say(WELL);
            await().atMost(SlotBench.PATIENCE).until(() -> condition(bench, "cuda:0") == Condition.FREE);
            assertThat(bench.hostEvents()).hasSize(2).last().isEqualTo(new Event.DeviceRestored("cuda:0"));
            assertThat(((Event.DeviceQuarantined) bench.hostEvents().getFirst()).code()).isEqualTo(code);
        }
    }

    @Promise(row = 28, fault = "recovery action reboot", with = "scripted GPU feed, fake engine")
    @Test
    void aDeviceThatNeedsARebootDrainsTheHost() throws Exception {
        try (SlotBench bench = bench().start()) {
            JobId first = bench.add("first", "steps 100000", "ms 10");
            JobId second = bench.add("second", "steps 100000", "ms 10");
            bench.awaitStep(first, 2);
            bench.awaitStep(second, 2);
            say("{\"cuda:0\":{\"recovery\":\"reboot\"},\"cuda:1\":{}}");
            for (JobId id : List.of(first, second)) {
                assertThat(bench.awaitState(id, JobState.QUEUED).failures()).isZero();
            }
            assertThat(bench.hostEvents()).anyMatch(event -> event instanceof Event.HostDraining);
            assertThat(bench.slots().free()).isZero();
        }
    }

    @Promise(row = 28, fault = "recovery action drain: the running job may end",
            with = "scripted GPU feed, fake engine")
    @Test
    void aDeviceThatDrainsTakesNothingNewButKeepsWhatItHas() throws Exception {
        try (SlotBench bench = bench().start()) {
            JobId id = bench.add("maya", "steps 60", "ms 20");
            bench.awaitStep(id, 3);
            say("{\"cuda:0\":{\"recovery\":\"drain_p2p\"},\"cuda:1\":{}}");
            await().atMost(SlotBench.PATIENCE).until(() -> condition(bench, "cuda:0") == Condition.QUARANTINED);
            assertThat(bench.awaitState(id, JobState.PUBLISHING).attempt()).isEqualTo(1);
        }
    }

    @Promise(row = 28, fault = "a trainer reports its device sick (exit 76)", with = "fake engine")
    @Test
    void aDeviceThatATrainerCallsSickRestsForAWhile() throws Exception {
        SlotBench bench = new SlotBench(folder).with("slots", "cuda:0,cuda:1").with("trainer.probation", "1s");
        try (bench) {
            bench.start();
            JobId id = bench.add("maya", "on cuda:0", "step 7: fail 76 DEVICE_LOST no answer from the device");
            Job trained = bench.awaitState(id, JobState.PUBLISHING);
            assertThat(trained.device()).isEqualTo("cuda:1");
            assertThat(trained.failures()).isZero();
            await().atMost(SlotBench.PATIENCE).until(() -> condition(bench, "cuda:0") == Condition.FREE);
            assertThat(bench.hostEvents()).containsExactly(
                    new Event.DeviceQuarantined("cuda:0", "DEVICE_LOST", "no answer from the device"),
                    new Event.DeviceRestored("cuda:0"));
        }
    }

    @Test
    void aJobUnderWhichEveryDeviceFailsIsStopped() throws Exception {
        try (SlotBench bench = new SlotBench(folder).with("slots", "cuda:0,cuda:1,cuda:2,cuda:3").start()) {
            JobId id = bench.add("poison", "step 3: fail 76 DEVICE_LOST no answer from the device");
            assertThat(bench.awaitState(id, JobState.FAILED).message()).contains("3 devices in a row");
            assertThat(condition(bench, "cuda:3")).isEqualTo(Condition.FREE);
        }
    }

    /// The driver's word counts more than the number of crashes: the same step on a device that needs a reset is no
    /// fault of the job.
    @Promise(row = 28, fault = "CUDA error on a device that then asks for a reset",
            with = "scripted GPU feed, fake engine")
    @Test
    void aCrashOnASickDeviceIsNotTheJobsFault() throws Exception {
        try (SlotBench bench = bench().with("gpu.poll", "1h").start()) {
            JobId id = bench.add("maya", "on cuda:0", "ms 50", "step 7: cudaError 719");
            bench.awaitStep(id, 1);
            say("{\"cuda:0\":{\"recovery\":\"reset\"},\"cuda:1\":{}}");
            Job trained = bench.awaitState(id, JobState.PUBLISHING);
            assertThat(trained.device()).isEqualTo("cuda:1");
            assertThat(trained.failures()).isZero();
            assertThat(bench.interruptions(id)).containsExactly("GPU_NEEDS_RESET");
        }
    }

    @Test
    void aDeviceOnWhichAnotherProgramComputesIsNotFree() throws Exception {
        say("{\"cuda:0\":{\"processes\":[1]},\"cuda:1\":{}}");
        try (SlotBench bench = new SlotBench(folder).with("slots", "cuda:0,cuda:1")
                .with("gpu.feed", feed().toString()).with("gpu.poll", "20ms").start()) {
            await().atMost(SlotBench.PATIENCE).until(() -> condition(bench, "cuda:0") == Condition.HELD);
            assertThat(bench.slots().free()).isEqualTo(1);
            say(WELL);
            await().atMost(SlotBench.PATIENCE).until(() -> bench.slots().free() == 2);
            assertThat(bench.hostEvents()).as("that is nobody's illness").isEmpty();
        }
    }

    private static Condition condition(SlotBench bench, String device) {
        return bench.slots().slots().stream().filter(slot -> slot.device().equals(device)).findFirst().orElseThrow()
                .condition();
    }
}
