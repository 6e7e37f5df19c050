package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import nocturne.adapter.AdapterFile;
import nocturne.adapter.LoraTargets;
import nocturne.promise.Promise;
import nocturne.qwen.ModelFolder;
import nocturne.qwen.TransformerConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A run whose time is over ends as any other does, only sooner.
class TimeLimitTest {
    @TempDir
    private Path scratch = Path.of("");

    @Test
    @Promise(row = 42, fault = "a time limit that is over after the first step")
    void aRunThatIsOutOfTimeEndsWithTheAdapterAsItIs() throws IOException {
        Path bundle = ShortRun.bundleIn(scratch.resolve("bundle"));
        Path out = scratch.resolve("run");
        PrintStream nowhere = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        boolean complete = Training.run(new TrainingRequest(bundle, null, out, ShortRun.MODEL, 2,
                scratch.resolve("home"), "test", nowhere, false, Duration.ofMillis(1), Stop.NEVER));
        assertThat(complete).isTrue();

        assertThat(ShortRun.events(out, "nocturne.job.stepped.v1")).hasSize(1);
        assertThat(ShortRun.events(out, "nocturne.job.notice.v1"))
                .anySatisfy(event -> assertThat(event.at("/data/code").asText()).isEqualTo("TIME_LIMIT"));
        assertThat(ShortRun.events(out, "").getLast().path("type").asText()).isEqualTo("nocturne.job.completed.v1");
        assertThat(ShortRun.events(out, "").getLast().at("/data/path").asText()).isEqualTo("tiny.safetensors");
        TransformerConfig config = ModelFolder.open(ShortRun.MODEL).transformerConfig();
        Map<String, String> metadata = AdapterFile.read(out.resolve("tiny.safetensors"),
                new LinkedHashMap<>(LoraTargets.of(config.layers(), config.width()))).metadata();
        assertThat(metadata).containsEntry("ss_steps", "1");
        assertThat(Files.readString(out.resolve("report.html"))).contains("time allowed for the run was over");
        assertThat(Files.readString(out.resolve("job.json"))).contains("\"completed\"");
    }

    /// The clock of an earlier attempt is in the saved state.
    @Test
    @Promise(row = 42, fault = "the time of an interrupted attempt counts")
    void theTimeOfAllAttemptsCounts() {
        long[] nanos = {5};
        RunTime time = new RunTime(Duration.ofSeconds(3599), Duration.ofHours(1), () -> nanos[0]);
        assertThat(time.isUp()).isFalse();
        nanos[0] += 1_000_000_000L;
        assertThat(time.isUp()).isTrue();
        assertThat(time.soFar()).isEqualTo(Duration.ofHours(1));
        assertThat(new RunTime(Duration.ofDays(99), null, () -> nanos[0]).isUp()).isFalse();
    }
}
