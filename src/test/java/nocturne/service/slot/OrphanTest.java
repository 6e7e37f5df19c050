package nocturne.service.slot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.promise.Promise;
import nocturne.service.fake.FakeEngine;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The service is killed, and its trainers are not to outlive it for long, nor to share a device with the next one's.
final class OrphanTest {
    @TempDir
    private Path folder;

    private final List<Process> services = new ArrayList<>();

    @AfterEach
    void leaveNothingRunning() {
        services.forEach(Process::destroyForcibly);
    }

    @Promise(row = 23, fault = "kill -9 of the service", with = "fake engine")
    @Test
    void aTrainerLeavesWhenItsServiceIsGone() throws Exception {
        add("maya", "steps 1000000", "ms 20");
        Process service = service();
        long trainer = runningTrainer("maya");
        service.destroyForcibly().waitFor();
        await().atMost(Duration.ofSeconds(10)).until(() -> ProcessHandle.of(trainer).isEmpty());
    }

    /// Each fake notes when it meets another one on its device or in its job. The moments are random.
    @Promise(row = 23, fault = "kill -9 of the service and restart at once, again and again", with = "fake engine")
    @Promise(row = 1, fault = "kill -9 of the service at random moments", with = "fake engine")
    @Test
    void twoTrainersNeverMeet() throws Exception {
        long seed = Long.getLong("seed", System.nanoTime());
        System.out.println("OrphanTest: -Dseed=" + seed);
        Random random = new Random(seed);
        Path exclusive = folder.resolve("exclusive");
        JobId first = add("first", "exclusive " + exclusive, "steps 200", "ms 10", "save 20");
        JobId second = add("second", "exclusive " + exclusive, "steps 200", "ms 10", "save 20");
        int kills = Boolean.getBoolean("nocturne.long") ? 30 : 3;
        for (int kill = 0; kill < kills; kill++) {
            Process service = service();
            Thread.sleep(500 + random.nextInt(2500));               // any moment will do
            service.destroyForcibly().waitFor();
        }
        try (SlotBench bench = new SlotBench(folder).with("slots", "cuda:0").start()) {
            for (JobId id : List.of(first, second)) {
                bench.awaitState(id, JobState.PUBLISHING);
                assertThat(bench.job(id).failures()).isZero();
                assertThat(bench.run(id).resolve(id + ".safetensors"))
                        .hasBinaryContent(FakeEngine.result(200, 4096));
                assertThat(bench.journal(id)).extracting(line -> line.sequence()).doesNotHaveDuplicates().isSorted();
            }
            assertThat(exclusive.resolve("violations")).doesNotExist();
        }
    }

    @Promise(row = 23, fault = "kill -9 of the service over a trainer that notices nothing and ignores SIGTERM",
            with = "fake engine")
    @Test
    void theNextServiceEndsATrainerThatDidNotLeave() throws Exception {
        Path exclusive = folder.resolve("exclusive");
        JobId deaf = add("deaf", "exclusive " + exclusive, "ignore EOF", "ignore SIGTERM", "steps 300", "ms 20");
        Process service = service();
        long trainer = runningTrainer("deaf");
        service.destroyForcibly().waitFor();
        assertThat(ProcessHandle.of(trainer)).as("it is deaf").isPresent();
        try (SlotBench bench = new SlotBench(folder).with("slots", "cuda:0").with("grace", "500ms").start()) {
            // Noted when the trainer is gone; how long the job waits for the next one is nobody's business.
            await().atMost(SlotBench.PATIENCE).until(() -> !bench.interruptions(deaf).isEmpty());
            assertThat(ProcessHandle.of(trainer)).isEmpty();
            assertThat(bench.interruptions(deaf)).containsExactly("HOST_RESTARTED");
            bench.awaitState(deaf, JobState.PUBLISHING);
            assertThat(exclusive.resolve("violations")).doesNotExist();
        }
    }

    private JobId add(String name, String... script) throws IOException {
        try (SlotBench bench = new SlotBench(folder)) {
            return bench.add(name, script);
        }
    }

    private Process service() throws IOException {
        List<String> words = List.of(ProcessHandle.current().info().command().orElseThrow(), "-Xmx128m",
                "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"),
                SlotProcess.class.getName(), folder.toString(), "slots=cuda:0");
        File log = folder.resolve("service.log").toFile();
        Process service = new ProcessBuilder(words).redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log)).start();
        services.add(service);
        return service;
    }

    /// As the service has written it down.
    private long runningTrainer(String job) {
        Path file = folder.resolve("work/jobs").resolve(job).resolve("job.json");
        await().atMost(SlotBench.PATIENCE).until(() -> read(file).path("child").path("pid").asLong() > 0
                && Files.exists(file.resolveSibling("run/.state/heartbeat.json")));
        return read(file).path("child").path("pid").asLong();
    }

    private static JsonNode read(Path file) {
        try {
            return new ObjectMapper().readTree(Files.readString(file));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
