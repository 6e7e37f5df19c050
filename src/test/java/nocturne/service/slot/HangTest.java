package nocturne.service.slot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import nocturne.event.Event;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.promise.Promise;
import nocturne.service.SlotReport;
import nocturne.service.fake.FakeEngine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A trainer that gets nowhere is ended; what it has saved is not lost. The limits are minutes in real life and a
/// second here.
final class HangTest {
    @TempDir
    private Path folder;

    private SlotBench impatient() {
        return new SlotBench(folder).with("trainer.hang.training", "1s").with("trainer.hang.silence", "30s")
                .with("trainer.hang.grace", "300ms");
    }

    @Promise(row = 25, fault = "trainer stops working and beating at step 8", with = "fake engine")
    @Test
    void aHungTrainerIsKilledAndTheJobGoesOn() throws Exception {
        try (SlotBench bench = impatient().start()) {
            JobId id = bench.add("maya", "once", "step 8: hang");
            Job trained = bench.awaitState(id, JobState.PUBLISHING);
            assertThat(trained.attempt()).isEqualTo(2);
            assertThat(trained.failures()).as("a hang counts").isEqualTo(1);
            assertThat(bench.interruptions(id)).containsExactly("HUNG");
            assertThat(bench.run(id).resolve("maya.safetensors")).hasBinaryContent(FakeEngine.result(20, 4096));
        }
    }

    @Promise(row = 25, fault = "trainer is stopped with SIGSTOP", with = "fake engine")
    @Test
    void aFrozenTrainerIsKilledAndTheJobGoesOn() throws Exception {
        try (SlotBench bench = impatient().with("trainer.hang.training", "1h").with("trainer.hang.silence", "2s")
                .start()) {
            JobId id = bench.add("maya", "once", "step 8: freeze");
            assertThat(bench.awaitState(id, JobState.PUBLISHING).attempt()).isEqualTo(2);
            assertThat(bench.journal(id)).anySatisfy(line -> assertThat(line.data().path("message").asText())
                    .contains("no sign of life"));
        }
    }

    @Promise(row = 12, fault = "hang, always", with = "fake engine")
    @Test
    void aJobThatAlwaysHangsFailsAfterThreeAttempts() throws Exception {
        try (SlotBench bench = impatient().start()) {
            JobId id = bench.add("maya", "step 2: hang");
            assertThat(bench.awaitState(id, JobState.FAILED).attempt()).isEqualTo(3);
            assertThat(bench.job(id).code()).isEqualTo("HUNG");
        }
    }

    @Promise(row = 25, fault = "a process that SIGKILL does not end", with = "stand-in: the signal is not sent")
    @Test
    void anUnkillableTrainerCostsItsDeviceAndNotTheOther() throws Exception {
        Set<Long> immortal = ConcurrentHashMap.newKeySet();
        Processes stubborn = new Processes() {
            @Override
            public void kill(ProcessHandle process) {
                immortal.add(process.pid());
            }
        };
        SlotBench bench = impatient().with("slots", "cuda:0,cuda:1").with("trainer.kill", "300ms");
        SlotFactory.World world = bench.world();
        bench.in(new SlotFactory.World(world.variables(), stubborn, world.clock(), world.nanos(),
                world.usableBytes()));
        try (bench) {
            bench.start();
            JobId id = bench.add("maya", "once", "step 8: hang");
            Job parked = bench.awaitState(id, JobState.PARKED);
            assertThat(parked.code()).isEqualTo("TRAINER_UNKILLABLE");
            assertThat(conditions(bench)).containsExactlyInAnyOrder("cuda:0 QUARANTINED", "cuda:1 FREE");
            assertThat(bench.hostEvents()).anySatisfy(event -> assertThat(event)
                    .isInstanceOfSatisfying(Event.DeviceQuarantined.class, quarantined ->
                            assertThat(quarantined.device()).isEqualTo("cuda:0")));

            JobId other = bench.add("other", "steps 3");
            assertThat(bench.awaitState(other, JobState.PUBLISHING).device()).isEqualTo("cuda:1");

            // The driver lets go at last.
            immortal.forEach(pid -> ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly));
            bench.awaitState(id, JobState.PUBLISHING);
            await().atMost(SlotBench.PATIENCE).untilAsserted(() -> assertThat(conditions(bench))
                    .containsExactlyInAnyOrder("cuda:0 FREE", "cuda:1 FREE"));
            assertThat(bench.hostEvents()).contains(new Event.DeviceRestored("cuda:0"));
        }
    }

    private static Set<String> conditions(SlotBench bench) {
        return bench.slots().slots().stream().map(slot -> slot.device() + " " + slot.condition())
                .collect(Collectors.toSet());
    }

    /// A step of 2.5 s is beyond the limit of 2 s, but not beyond 20 times the usual step of 0.2 s.
    @Promise(row = 29, fault = "steps become 12 x slower than usual", with = "scripted GPU feed, fake engine")
    @Test
    void aSlowDeviceIsReportedOnceAndNotPunished() throws Exception {
        Path feed = folder.resolve("feed.jsonl");
        java.nio.file.Files.writeString(feed, "{\"cuda:0\":{\"slowdowns\":[\"too hot (driver)\"]}}\n");
        try (SlotBench bench = impatient().with("slots", "cuda:0").with("gpu.feed", feed).with("gpu.poll", "20ms")
                .with("trainer.hang.training", "2s").start()) {
            JobId id = bench.add("maya", "steps 8", "ms 200", "step 6: slow 2500");
            assertThat(bench.awaitState(id, JobState.PUBLISHING).attempt()).isEqualTo(1);
            assertThat(bench.hostEvents()).containsExactly(
                    new Event.DeviceThrottled("cuda:0", "too hot (driver)"));
            assertThat(conditions(bench)).noneMatch(slot -> slot.contains(SlotReport.Condition.QUARANTINED.name()));
        }
    }
}
