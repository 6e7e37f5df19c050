package nocturne.service.slot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import nocturne.event.Event;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.promise.Promise;
import nocturne.service.fake.FakeEngine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Asked to stop, the service lets every trainer save its state first, and loses no step.
final class StopTest {
    @TempDir
    private Path folder;

    /// Each stop is at a random moment; the result depends on every step having been made once, in order.
    @Promise(row = 21, fault = "the service stops at random moments, again and again", with = "fake engine")
    @Test
    void stopsAtAnyMomentAndGoesOnWithoutCounting() throws Exception {
        long seed = Long.getLong("seed", System.nanoTime());
        System.out.println("StopTest: -Dseed=" + seed);
        Random random = new Random(seed);
        int stops = Boolean.getBoolean("nocturne.long") ? 30 : 6;
        SlotBench bench = new SlotBench(folder);
        JobId id = bench.add("maya", "steps 150", "ms 10", "load 50", "save 20", "sample 30", "bytes 4096");
        bench.stop();
        for (int stop = 0; stop < stops; stop++) {
            bench.start();
            // The moment is what is random here; nothing is waited for.
            Thread.sleep(random.nextInt(500));
            bench.stop();
            bench.open();
            Job job = bench.job(id);
            assertThat(job.failures()).isZero();
            assertThat(job.state()).isIn(JobState.QUEUED, JobState.PUBLISHING);
            assertThat(job.child()).isNull();
        }
        try (bench) {
            bench.start();
            Job trained = bench.awaitState(id, JobState.PUBLISHING);
            assertThat(trained.failures()).isZero();
            assertThat(bench.run(id).resolve("maya.safetensors")).hasBinaryContent(FakeEngine.result(150, 4096));
            assertThat(bench.interruptions(id)).containsOnly("HOST_STOPPING");
        }
    }

    @Promise(row = 22, fault = "trainer ignores SIGTERM", with = "fake engine")
    @Test
    void aTrainerThatIgnoresTheRequestIsKilledAndItsJobGoesOn() throws Exception {
        SlotBench bench = new SlotBench(folder).with("grace", "1s");
        JobId id = bench.add("maya", "ignore SIGTERM", "steps 200", "ms 20", "save 5");
        bench.start();
        bench.awaitStep(id, 8);
        long pid = bench.job(id).child().pid();
        bench.stop();
        assertThat(ProcessHandle.of(pid)).isEmpty();
        bench.open();
        assertThat(bench.job(id).state()).isEqualTo(JobState.QUEUED);
        assertThat(bench.job(id).failures()).isZero();
        try (bench) {
            bench.start();
            bench.awaitState(id, JobState.PUBLISHING);
            assertThat(bench.run(id).resolve("maya.safetensors")).hasBinaryContent(FakeEngine.result(200, 4096));
        }
    }

    @Test
    void drainingLetsTheRunningJobsSaveAndTakesNoMore() throws Exception {
        try (SlotBench bench = new SlotBench(folder).start()) {
            JobId running = bench.add("running", "steps 100000", "ms 10");
            bench.awaitStep(running, 3);
            bench.slots().drain("new cables");
            bench.awaitState(running, JobState.QUEUED);
            assertThat(bench.interruptions(running)).containsExactly("DRAINING");
            assertThat(bench.hostEvents()).contains(new Event.HostDraining("new cables"));
            assertThat(bench.slots().free()).isZero();
        }
    }

    /// The clock of the wall is set by hand here; what the slots wait for otherwise does not hang on it.
    @Test
    void outsideTheHoursJobsSaveAndWait() throws Exception {
        AtomicReference<Instant> now = new AtomicReference<>(Instant.parse("2026-11-21T23:00:00Z"));
        InstantSource clock = now::get;
        SlotBench bench = new SlotBench(folder).with("windows", "22:00-07:00").with("zone", "UTC");
        SlotFactory.World world = bench.world();
        bench.in(new SlotFactory.World(world.variables(), world.processes(), clock, world.nanos(),
                world.usableBytes()));
        try (bench) {
            bench.start();
            JobId running = bench.add("running", "steps 60", "ms 20", "save 100");
            bench.awaitStep(running, 3);
            now.set(Instant.parse("2026-11-22T07:00:00Z"));
            bench.slots().wake();
            Job waiting = bench.awaitState(running, JobState.QUEUED);
            assertThat(waiting.code()).isEqualTo("OUTSIDE_WINDOW");
            assertThat(waiting.failures()).isZero();
            assertThat(bench.slots().free()).isZero();

            now.set(Instant.parse("2026-11-22T22:00:00Z"));
            bench.slots().wake();
            bench.awaitState(running, JobState.PUBLISHING);
            assertThat(bench.run(running).resolve("running.safetensors"))
                    .hasBinaryContent(FakeEngine.result(60, 4096));
            await().until(() -> bench.slots().free() == 1);
        }
    }

    @Promise(row = 39, fault = "the wall clock jumps by a day, both ways, while jobs run", with = "fake engine")
    @Test
    void aJumpOfTheWallClockEndsNothing() throws Exception {
        AtomicReference<Instant> now = new AtomicReference<>(Instant.now());
        SlotBench bench = new SlotBench(folder).with("trainer.hang.training", "10s");
        SlotFactory.World world = bench.world();
        bench.in(new SlotFactory.World(world.variables(), world.processes(), Clock.tick(new MovedClock(now),
                java.time.Duration.ofMillis(1)), world.nanos(), world.usableBytes()));
        try (bench) {
            bench.start();
            JobId id = bench.add("maya", "steps 60", "ms 20");
            bench.awaitStep(id, 5);
            now.set(now.get().plusSeconds(86_400));
            bench.slots().wake();
            bench.awaitStep(id, 20);
            now.set(now.get().minusSeconds(2 * 86_400));
            bench.slots().wake();
            assertThat(bench.awaitState(id, JobState.PUBLISHING).attempt()).isEqualTo(1);
        }
    }

    private static final class MovedClock extends Clock {
        private final AtomicReference<Instant> now;

        MovedClock(AtomicReference<Instant> now) {
            this.now = now;
        }

        @Override
        public Instant instant() {
            return now.get();
        }

        @Override
        public ZoneOffset getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(java.time.ZoneId zone) {
            return this;
        }
    }
}
