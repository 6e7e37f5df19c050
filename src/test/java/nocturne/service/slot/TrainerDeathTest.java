package nocturne.service.slot;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Stream;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.promise.Promise;
import nocturne.service.fake.FakeEngine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Any death of a trainer is survived and understood.
final class TrainerDeathTest {
    @TempDir
    private Path folder;

    @Promise(row = 24, fault = "trainer ends by itself or by a signal at step 7, once", with = "fake engine")
    @Test
    void aCrashIsCountedAndTheJobGoesOnFromItsLastState() throws Exception {
        List<String> faults = List.of("exit 0", "exit 1", "exit 134", "exit 137", "exit 139", "signal KILL",
                "signal SEGV");
        try (SlotBench bench = new SlotBench(folder).with("slots", "cuda:0,cuda:1,cuda:2,cuda:3").start()) {
            List<JobId> jobs = new ArrayList<>();
            for (String fault : faults) {
                String name = fault.toLowerCase(Locale.ROOT).replace(' ', '-');
                jobs.add(bench.add(name, "steps 20", "save 5", "once", "step 7: " + fault));
            }
            for (JobId id : jobs) {
                Job trained = bench.awaitState(id, JobState.PUBLISHING);
                assertThat(trained.attempt()).as("attempts of %s", id).isEqualTo(2);
                assertThat(trained.failures()).as("failures of %s", id).isEqualTo(1);
                assertThat(bench.types(id)).containsSubsequence("job.started", "job.interrupted", "job.started",
                        "job.resumed");
                assertThat(bench.run(id).resolve(id + ".safetensors")).hasBinaryContent(FakeEngine.result(20, 4096));
            }
        }
    }

    @Promise(row = 24, fault = "trainer ends with 64 and with 70", with = "fake engine")
    @Promise(row = 12, fault = "input that is refused between two good jobs", with = "fake engine")
    @Test
    void aMistakeOfTheUserOrOfOursIsNotTriedAgain() throws Exception {
        try (SlotBench bench = new SlotBench(folder).start()) {
            JobId before = bench.add("before", "steps 3");
            JobId input = bench.add("input", "step 3: fail 64 RECIPE_INVALID line 3 is no recipe");
            JobId bug = bench.add("bug", "step 3: fail 70 BUG java.lang.IllegalStateException");
            JobId after = bench.add("after", "steps 3");
            bench.awaitState(before, JobState.PUBLISHING);
            bench.awaitState(after, JobState.PUBLISHING);
            assertThat(bench.awaitState(input, JobState.FAILED)).satisfies(job -> {
                assertThat(job.code()).isEqualTo("RECIPE_INVALID");
                assertThat(job.message()).isEqualTo("line 3 is no recipe");
                assertThat(job.attempt()).isEqualTo(1);
            });
            assertThat(bench.awaitState(bug, JobState.FAILED).attempt()).isEqualTo(1);
            assertThat(bench.types(input)).endsWith("job.failed").containsOnlyOnce("job.failed");
        }
    }

    @Promise(row = 24, fault = "somebody sends SIGTERM to the trainer (exit 75)", with = "fake engine")
    @Test
    void aStopThatNobodyOfUsAskedForIsNotCounted() throws Exception {
        try (SlotBench bench = new SlotBench(folder).start()) {
            JobId id = bench.add("maya", "steps 60", "ms 20", "save 50");
            bench.awaitStep(id, 5);
            ProcessHandle.of(bench.job(id).child().pid()).orElseThrow().destroy();
            Job trained = bench.awaitState(id, JobState.PUBLISHING);
            assertThat(trained.failures()).isZero();
            assertThat(bench.interruptions(id)).containsExactly("CHECKPOINTED");
            assertThat(bench.run(id).resolve("maya.safetensors")).hasBinaryContent(FakeEngine.result(60, 4096));
        }
    }

    @Promise(row = 12, fault = "crash at the same step, always; a good job behind it", with = "fake engine")
    @Test
    void aPoisonousJobFailsAfterThreeAttemptsAndBlocksNobody() throws Exception {
        try (SlotBench bench = new SlotBench(folder).start()) {
            JobId poison = bench.add("poison", "steps 20", "save 5", "step 7: exit 139");
            JobId good = bench.add("good", "steps 3");
            bench.awaitState(good, JobState.PUBLISHING);
            Job failed = bench.awaitState(poison, JobState.FAILED);
            assertThat(failed.attempt()).isEqualTo(3);
            assertThat(failed.message()).contains("SIGSEGV", "gave up after 3 attempts", "the fake ends at step 7");
            assertThat(bench.interruptions(poison)).containsExactly("CRASHED", "CRASHED");
        }
    }

    @Test
    void aJobThatGetsFurtherEachTimeMayCrashMoreOften() throws Exception {
        try (SlotBench bench = new SlotBench(folder).start()) {
            JobId id = bench.add("maya", "steps 30", "save 5", "once", "step 6: exit 139", "step 11: exit 139",
                    "step 16: exit 139", "step 21: exit 139", "step 26: exit 139");
            assertThat(bench.awaitState(id, JobState.PUBLISHING).attempt()).isEqualTo(6);
        }
    }

    @Promise(row = 24, fault = "trainer closes its standard output and error", with = "fake engine")
    @Test
    void closedPipesEndNothing() throws Exception {
        try (SlotBench bench = new SlotBench(folder).start()) {
            JobId id = bench.add("maya", "close pipes", "steps 20");
            assertThat(bench.awaitState(id, JobState.PUBLISHING).attempt()).isEqualTo(1);
        }
    }

    /// The heap is measured after a collection, before and after; a log kept in memory would show as a gigabyte.
    @Promise(row = 24, fault = "1 GB on standard error", with = "fake engine")
    @Test
    void aFloodOfWordsStaysBounded() throws Exception {
        try (SlotBench bench = new SlotBench(folder).with("trainer.log-bytes", 1 << 20).start()) {
            long before = heap();
            JobId id = bench.add("maya", "flood 1GB", "steps 3");
            bench.awaitState(id, JobState.PUBLISHING);
            assertThat(heap() - before).as("growth of the heap").isLessThan(32L << 20);
            assertThat(logBytes(bench.trainerLog(id))).isLessThanOrEqualTo((1 << 20) + 8192);
            assertThat(Files.readString(bench.trainerLog(id))).endsWith("end of the flood\n");
        }
    }

    private static long logBytes(Path log) throws IOException {
        long sum = 0;
        for (Path file : List.of(log, log.resolveSibling("trainer.log.old"))) {
            if (Files.exists(file)) sum += Files.size(file);
        }
        return sum;
    }

    private static long heap() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    @Promise(row = 26, fault = "CUDA errors 700, 719 and 702 at step 7, once", with = "fake engine")
    @Test
    void aStickyErrorIsLeftBehindWithItsProcess() throws Exception {
        try (SlotBench bench = new SlotBench(folder).with("slots", "cuda:0,cuda:1,cuda:2").start()) {
            for (int error : new int[] {700, 719, 702}) {
                bench.add("error-" + error, "once", "step 7: cudaError " + error);
            }
            for (int error : new int[] {700, 719, 702}) {
                JobId id = new JobId("error-" + error);
                assertThat(bench.awaitState(id, JobState.PUBLISHING).attempt()).isEqualTo(2);
                assertThat(bench.interruptions(id)).containsExactly("DEVICE_ERROR_" + error);
                assertThat(bench.run(id).resolve(id + ".safetensors")).hasBinaryContent(FakeEngine.result(20, 4096));
            }
        }
    }

    @Promise(row = 26, fault = "CUDA error 700 at step 7, always", with = "fake engine")
    @Test
    void theSameErrorAtTheSameStepTwiceIsNoAccident() throws Exception {
        try (SlotBench bench = new SlotBench(folder).start()) {
            JobId id = bench.add("maya", "step 7: cudaError 700");
            Job failed = bench.awaitState(id, JobState.FAILED);
            assertThat(failed.attempt()).isEqualTo(2);
            assertThat(failed.code()).isEqualTo("SAME_STEP_TWICE");
            assertThat(failed.message()).contains("step 7 ended with DEVICE_ERROR_700 twice", "report it");
        }
    }

    @Promise(row = 27, fault = "device memory for a smaller plan only", with = "fake allocator")
    @Test
    void tooLittleGpuMemoryIsTriedWithSmallerPlansAndThenExplained() throws Exception {
        try (SlotBench bench = new SlotBench(folder).with("slots", "cuda:0").with("trainer.less-vram", "80%").start()) {
            JobId fits = bench.add("fits", "vram share 80", "steps 5");
            JobId never = bench.add("never", "vram share 60", "steps 5");
            assertThat(bench.awaitState(fits, JobState.PUBLISHING)).satisfies(job -> {
                assertThat(job.attempt()).isEqualTo(2);
                assertThat(job.failures()).isZero();
            });
            Job failed = bench.awaitState(never, JobState.FAILED);
            assertThat(failed.attempt()).isEqualTo(2);
            assertThat(failed.code()).isEqualTo("GPU_OUT_OF_MEMORY");
            assertThat(failed.message()).contains("needs 31 GiB", "has 24 GiB", "train.batch_size");
        }
    }

    /// More often than a job may fail.
    @Promise(row = 27, fault = "device memory taken by others, five times", with = "fake engine")
    @Test
    void aRunThatNeedsTheMemoryItBeganWithWaitsForItUncounted() throws Exception {
        String[] script = Stream.concat(Stream.of("once"), Stream.generate(() ->
                "step 7: fail 74 MEMORY_TAKEN the run began when the device had more room").limit(5))
                .toArray(String[]::new);
        try (SlotBench bench = new SlotBench(folder).with("slots", "cuda:0").start()) {
            JobId id = bench.add("maya", script);
            Job trained = bench.awaitState(id, JobState.PUBLISHING);
            assertThat(trained.failures()).isZero();
            assertThat(bench.interruptions(id)).hasSize(5).containsOnly("MEMORY_TAKEN");
            assertThat(bench.run(id).resolve("maya.safetensors")).hasBinaryContent(FakeEngine.result(20, 4096));
            assertThat(bench.hostEvents()).as("the device is well").isEmpty();
        }
    }

    @Promise(row = 27, fault = "device memory runs out once after the first save", with = "fake engine")
    @Test
    void aRunThatCannotGoOnWithLessMemoryGetsItsShareBack() throws Exception {
        try (SlotBench bench = new SlotBench(folder).with("slots", "cuda:0").start()) {
            JobId id = bench.add("maya", "once", "step 8: fail 74 GPU_OUT_OF_MEMORY needs 31 GiB", "resume share 100");
            Job trained = bench.awaitState(id, JobState.PUBLISHING);
            assertThat(trained.attempt()).isEqualTo(3);
            assertThat(trained.failures()).isZero();
            assertThat(bench.interruptions(id)).containsExactly("GPU_OUT_OF_MEMORY", "MEMORY_TAKEN");
            assertThat(bench.journal(id).stream().filter(line -> line.type().equals("nocturne.job.interrupted.v1"))
                    .map(line -> line.data().path("step").asLong()))
                    .as("made, and not forgotten").containsExactly(7L, 5L);
        }
    }

    @Promise(row = 27, fault = "device memory runs out after the first save, always", with = "fake engine")
    @Test
    void aShareThatIsGivenBackIsNotTakenAgainForEver() throws Exception {
        try (SlotBench bench = new SlotBench(folder).with("slots", "cuda:0").start()) {
            JobId id = bench.add("maya", "step 8: fail 74 GPU_OUT_OF_MEMORY needs 31 GiB", "resume share 100");
            Job failed = bench.awaitState(id, JobState.FAILED);
            assertThat(failed.code()).isEqualTo("GPU_OUT_OF_MEMORY");
            assertThat(failed.message()).contains("3 attempts", "needs 31 GiB", "train.batch_size");
            assertThat(bench.interruptions(id)).containsExactly("GPU_OUT_OF_MEMORY", "MEMORY_TAKEN",
                    "GPU_OUT_OF_MEMORY", "GPU_OUT_OF_MEMORY");
        }
    }

    @Promise(row = 43, fault = "trainer dies before its first word, always", with = "fake engine")
    @Test
    void aCrashLoopCalmsDownAndTheJobIsPutAside() throws Exception {
        try (SlotBench bench = new SlotBench(folder).start()) {
            JobId poison = bench.add("poison", "step 0: exit 134");
            JobId good = bench.add("good", "steps 3");
            Job parked = bench.awaitState(poison, JobState.PARKED);
            assertThat(parked.code()).isEqualTo("CRASH_LOOP");
            assertThat(parked.attempt()).isEqualTo(5);
            bench.awaitState(good, JobState.PUBLISHING);
            assertThat(bench.types(poison)).endsWith("job.parked");
        }
    }

    @Promise(row = 43, fault = "trainer dies before its first word, after steps were made", with = "fake engine")
    @Test
    void aCrashLoopOfAJobThatHadBegunIsSeenToo() throws Exception {
        try (SlotBench bench = new SlotBench(folder).start()) {
            JobId id = bench.add("maya", "steps 100000", "ms 20", "save 2");
            bench.awaitStep(id, 5);
            Files.writeString(bench.ledger().work().job(id).resolve("bundle-0/fake.txt"), "step 0: exit 134\n");
            ProcessHandle.of(Objects.requireNonNull(bench.job(id).child()).pid()).orElseThrow().destroyForcibly();
            Job parked = bench.awaitState(id, JobState.PARKED);
            assertThat(parked.code()).isEqualTo("CRASH_LOOP");
            assertThat(parked.attempt()).isEqualTo(5);
            assertThat(parked.step()).as("what is saved is not forgotten").isGreaterThanOrEqualTo(4);
        }
    }
}
