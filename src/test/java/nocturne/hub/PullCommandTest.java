package nocturne.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import nocturne.hub.FakeHub.Fault;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// `nocturne pull` in a process of its own, which is stopped, and killed, in the middle of a file.
@DisabledOnOs(OS.WINDOWS)
final class PullCommandTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String SHARD = "transformer/diffusion_pytorch_model-00002-of-00003.safetensors";
    private static final String TOKEN = "hf_canary_that_nobody_prints";
    private static final int SENT = 120_000;

    @TempDir
    private Path scratch;

    private final FakeHub hub = new FakeHub().withPipeline();
    private final CountDownLatch over = new CountDownLatch(1);
    private Path folder = Path.of("");
    private Path said = Path.of("");

    @BeforeEach
    void place() {
        folder = scratch.resolve("models/Tiny");
        said = scratch.resolve("said.txt");
    }

    @AfterEach
    void close() {
        over.countDown();
        hub.close();
    }

    @Test
    void asItIsTyped() throws Exception {
        assertThat(start().waitFor()).isEqualTo(0);
        assertThat(Pipeline.missing(folder)).isEmpty();
        assertThat(said).content().contains("Qwen/Tiny is in " + folder, SHARD + ", 200 kB")
                .doesNotContain("\r", TOKEN);
        assertThat(hub.asked()).anyMatch(asked -> asked.token().equals("Bearer " + TOKEN));
    }

    @Test
    void stoppedItKeepsWhatIsThereAndSaysSoByItsExitCode() throws Exception {
        Process stopped = startAndStop("-TERM");
        assertThat(stopped.waitFor()).isEqualTo(75);
        assertGoesOn();
    }

    @Test
    void interruptedFromTheKeyboardToo() throws Exception {
        Process stopped = startAndStop("-INT");
        assertThat(stopped.waitFor()).isEqualTo(75);
        assertGoesOn();
    }

    @Test
    void killedItGoesOnToo() throws Exception {
        Process killed = startAndStop("-KILL");
        assertThat(killed.waitFor()).isEqualTo(128 + 9);
        assertGoesOn();
    }

    @Test
    void aHubThatIsAwayIsTheMachinesTrouble() throws Exception {
        hub.failing("revision", FakeHub.status(429, "Retry-After", "86400"));
        assertThat(start().waitFor()).isEqualTo(74);
        assertThat(said).content().contains("HUB_UNREACHABLE", "the same command goes on from there")
                .doesNotContain(TOKEN, "\tat ");
    }

    @Test
    void aModelThatIsNotThereIsAMistake() throws Exception {
        hub.failing("revision", FakeHub.status(404));
        assertThat(start().waitFor()).isEqualTo(64);
        assertThat(said).content().contains("Qwen/Tiny: is not at 127.0.0.1").doesNotContain(TOKEN, "\tat ");
    }

    private void assertGoesOn() throws Exception {
        assertThat(folder).as("not whole, so not there").doesNotExist();
        assertThat(start().waitFor()).isEqualTo(0);
        assertThat(folder.resolve(SHARD)).hasBinaryContent(hub.content(SHARD));
        assertThat(hub.asked("store", SHARD)).last()
                .satisfies(asked -> assertThat(asked.range()).matches("bytes=[1-9]\\d*-"));
        assertThat(said).content().contains("of which ");
    }

    private Process startAndStop(String signal) throws IOException, InterruptedException {
        Fault halfway = (exchange, content) -> {
            exchange.sendResponseHeaders(200, content.length);
            exchange.getResponseBody().write(content, 0, SENT);
            exchange.getResponseBody().flush();
            try {
                // Long enough that nobody's patience ends first.
                boolean _ = over.await(2, TimeUnit.MINUTES);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            throw new IOException("over");
        };
        hub.failing(SHARD, halfway);
        Process process = start();
        await().atMost(PATIENCE).until(() -> arrived() >= SENT / 2);
        assertThat(new ProcessBuilder("kill", signal, Long.toString(process.pid())).start().waitFor()).isZero();
        return process;
    }

    /// Bytes of the file that is held up, as they lie on the disk.
    private long arrived() throws IOException {
        Path transformer = folder.resolveSibling(Pull.ARRIVING + "Tiny").resolve("transformer");
        if (!Files.isDirectory(transformer)) return 0;
        try (Stream<Path> files = Files.list(transformer)) {
            List<Path> parts = files.filter(file -> file.toString().contains("00002-of")).toList();
            return parts.isEmpty() ? 0 : Files.size(parts.getFirst());
        }
    }

    private Process start() throws IOException {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1", "-Xmx128m", "--enable-native-access=ALL-UNNAMED",
                "-Dnocturne.home=" + Path.of("").toAbsolutePath(), "-cp", System.getProperty("java.class.path"),
                "nocturne.Main", "pull", "Qwen/Tiny", "--to", folder.toString());
        builder.environment().put("HF_ENDPOINT", hub.endpoint().toString());
        builder.environment().put("HF_TOKEN", TOKEN);
        return builder.redirectErrorStream(true).redirectOutput(said.toFile()).start();
    }
}
