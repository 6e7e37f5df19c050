package nocturne.service.fake;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import nocturne.bundle.Bundle;
import nocturne.bundle.BundleLimits;
import nocturne.event.EventLine;
import nocturne.event.EventLog;
import nocturne.plan.Inspection;
import nocturne.plan.ModelSearch;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A stand-in must be like what it stands for: what other tests prove with it holds only as far as this does.
final class FakeEngineTest {
    @TempDir
    private Path folder;

    @Test
    void itsBundlePassesTheRealInspection() throws IOException {
        Path zip = FakeBundle.of("maya", "steps 7").zip(folder.resolve("maya.zip"));
        Bundle bundle = Bundle.open(zip, folder.resolve("unpacked"), BundleLimits.STANDARD);
        Inspection inspection = Inspection.of(bundle, "maya", null,
                new ModelSearch.Anywhere(Path.of("").toAbsolutePath()));
        assertThat(inspection.resolved().recipe().train().steps()).isEqualTo(7);
        assertThat(bundle.root().resolve("fake.txt")).exists();
    }

    @Test
    void leavesTheLogAndFilesOfATrainer() throws Exception {
        assertThat(ended(start("steps 10", "save 5", "sample 10"))).isZero();
        List<String> lines = Files.readAllLines(run().resolve("events.jsonl"));
        List<EventLine> events = lines.stream().map(line -> EventLine.parse(line).orElseThrow()).toList();
        assertThat(events).extracting(EventLine::sequence).startsWith(1L, 2L, 3L);
        assertThat(events).extracting(EventLine::type).contains("nocturne.checkpoint.written.v1",
                "nocturne.sample.written.v1").endsWith("nocturne.job.completed.v1");
        assertThat(run().resolve("maya.safetensors")).hasBinaryContent(FakeEngine.result(10, 4096));
        assertThat(run().resolve("maya_000000005.safetensors")).exists();
        assertThat(new ObjectMapper().readTree(run().resolve(".state/heartbeat.json").toFile()).path("step").asInt())
                .isEqualTo(10);
        try (EventLog real = EventLog.open(run().resolve("events.jsonl"), "maya-0fa4e000", "/test",
                InstantSource.system())) {
            assertThat(real.sequence()).isEqualTo(lines.size());
        }
    }

    @Test
    void goesOnWhereSigtermInterruptedItAndEndsInTheSameBytes() throws Exception {
        Process first = start("steps 40", "ms 20");
        awaitStep(5);
        first.destroy();
        assertThat(ended(first)).isEqualTo(75);
        assertThat(ended(start("steps 40", "ms 1"))).isZero();
        assertThat(run().resolve("maya.safetensors")).hasBinaryContent(FakeEngine.result(40, 4096));
        assertThat(Files.readString(run().resolve("events.jsonl"))).contains("nocturne.job.resumed.v1");
    }

    @Test
    void leavesWhenTheServiceIsGone() throws Exception {
        Process fake = start("steps 100000", "ms 5");
        awaitStep(2);
        fake.getOutputStream().close();
        assertThat(ended(fake)).isEqualTo(75);
    }

    @Test
    void failsAsScripted() throws Exception {
        assertThat(ended(start("step 7: exit 139"))).isEqualTo(139);
        assertThat(ended(start("step 7: signal KILL"))).isEqualTo(137);
        assertThat(ended(start("step 8: fail 64 RECIPE_INVALID the rank is no rank"))).isEqualTo(64);
        assertThat(Files.readString(run().resolve("events.jsonl")).strip()).endsWith(
                "\"data\":{\"code\":\"RECIPE_INVALID\",\"message\":\"the rank is no rank\",\"problems\":[]}}");
        assertThat(ended(start("once", "step 6: cudaError 700"))).isEqualTo(76);
        assertThat(ended(start("once", "step 6: cudaError 700"))).isZero();
    }

    private Path run() {
        return folder.resolve("job/run");
    }

    private Process start(String... script) throws IOException {
        Path bundle = FakeBundle.of("maya", script).folder(folder.resolve("job/bundle"));
        List<String> words = new ArrayList<>(FakeEngine.command());
        words.addAll(List.of("train", bundle.toString(), "--out", run().toString(), "--name", "maya", "--device",
                "cpu", "--supervised"));
        return new ProcessBuilder(words).redirectErrorStream(true).redirectOutput(folder.resolve("out.log").toFile())
                .start();
    }

    private void awaitStep(int step) {
        Awaitility.await().atMost(30, TimeUnit.SECONDS).until(() -> Files.exists(run().resolve("events.jsonl"))
                && Files.readString(run().resolve("events.jsonl")).contains("\"data\":{\"step\":" + step + ","));
    }

    private static int ended(Process fake) throws InterruptedException {
        assertThat(fake.waitFor(60, TimeUnit.SECONDS)).as("ends by itself").isTrue();
        return fake.exitValue();
    }
}
