package nocturne;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import nocturne.promise.Promise;
import nocturne.service.ServiceProcess;
import nocturne.service.fake.FakeBundle;
import nocturne.service.fake.FakeEngine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// `submit`, `jobs`, `show`, `cancel`, `retry` as a person uses them: beside a service in a process of its own, which
/// trains with a fake, and without one.
final class DeskCommandsTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @TempDir
    private Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    @Promise(row = 44, fault = "cancel from the command line while a trainer runs, then retry", with = "fake trainer")
    @Promise(row = 18, fault = "the same folder submitted twice", with = "fake trainer")
    void aJobIsHandedInFollowedCancelledAndTriedAgain() throws IOException {
        Path maya = FakeBundle.of("maya", "steps 200", "ms 25", "save 20").folder(folder.resolve("maya"));
        try (ServiceProcess service = ServiceProcess.in(folder)
                .with("nocturne.trainer.command", String.join(",", FakeEngine.command()))
                .with("nocturne.trainer.look", "50ms").with("nocturne.progress", "200ms")) {
            service.start().awaitReady();

            assertThat(run("submit", maya.toString())).isEqualTo(0);
            String id = out.toString().replaceFirst("(?s).*accepted as (\\S+): 1 pictures, 200 steps.*", "$1");
            assertThat(id).matches("maya-[0-9a-f]{8}");

            await().atMost(PATIENCE).until(() -> run("jobs") == 0 && out.toString().matches(
                    "(?s)JOB .*" + id + "  running  \\d+/200  .*cpu.*"));
            assertThat(run("submit", maya.toString(), "--name", "again")).isEqualTo(0);
            assertThat(out.toString()).contains("the same was there before: " + id);

            assertThat(run("retry", id)).isEqualTo(64);
            assertThat(err.toString()).contains("there is nothing to retry");
            assertThat(run("cancel", "maya", "--wait", "60")).isEqualTo(0);
            assertThat(out.toString()).contains(id + " is cancelled now");
            assertThat(run("cancel", "maya")).isEqualTo(64);

            assertThat(run("retry", "maya", "--wait", "60")).isEqualTo(0);
            assertThat(out.toString()).containsPattern(id + " is (queued|running) now");
            await().atMost(PATIENCE).until(() -> run("show", "maya") == 0 && out.toString().contains("  completed\n"));
            assertThat(out.toString()).contains("cancelled: ", "goes on after step ", "checkpoints", "maya.safetensors",
                    "outbox    " + service.outbox().resolve(id)).doesNotContain("not in the outbox");
            assertThat(run("show", "maya", "--json")).isEqualTo(0);
            assertThat(new ObjectMapper().readTree(out.toString()).path("state").asText()).isEqualTo("completed");
            assertThat(service.terminate()).isZero();
        }
        assertThat(run("jobs")).isEqualTo(0);
        assertThat(out.toString()).contains("completed  200/200").doesNotContain("no service is running");
    }

    @Test
    void whatTheServiceRefusesIsToldWithEveryProblem() throws IOException {
        Path bundle = FakeBundle.of("odd").folder(folder.resolve("odd"));
        Files.writeString(bundle.resolve("recipe.yaml"), """
                network: {type: lora, linear: 0}
                datasets: [{folder_path: pictures, resolution: 64}]
                train: {steps: -5}
                model: {name_or_path: models/qwen-image-tiny}
                """);
        try (ServiceProcess service = ServiceProcess.in(folder)) {
            service.start().awaitReady();
            assertThat(run("submit", bundle.toString())).isEqualTo(64);
            assertThat(out.toString()).contains("refused as odd-").contains("network.linear").contains("train.steps");
            assertThat(service.terminate()).isZero();
        }
    }

    @Test
    void withoutAServiceABundleWaitsInTheInbox() throws IOException {
        Path maya = FakeBundle.of("maya").folder(folder.resolve("maya"));
        assertThat(run("submit", maya.toString())).isEqualTo(0);
        assertThat(out.toString()).contains("no service is running here; it will be taken when one starts");
        assertThat(folder.resolve("inbox/maya.zip")).exists();
        assertThat(run("jobs")).isEqualTo(0);
        assertThat(out.toString()).isEqualTo("no jobs yet; no service is running here%n".formatted());
        assertThat(run("jobs", "--json", "--all")).isEqualTo(0);
        assertThat(new ObjectMapper().readTree(out.toString())).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"show nobody", "cancel nobody", "retry nobody", "submit nowhere.zip", "submit x --kafka",
        "jobs -Dnocturne.setle=5s", "show", "submit", "cancel a b", "doctor --config nowhere.yml",
        "submit https://example.org/x.zip"})
    void whatMakesNoSenseIsExplainedWithoutAStackTrace(String line) {
        assertThat(run(line.split(" "))).isEqualTo(64);
        assertThat(err.toString()).isNotBlank().doesNotContain("\tat ", "Exception");
        assertThat(folder.resolve("inbox")).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(strings = {"submit", "jobs", "show", "cancel", "retry", "doctor", "demo", "serve"})
    void everyCommandExplainsItself(String command) {
        assertThat(run(command, "--help")).isEqualTo(0);
        assertThat(out.toString()).startsWith("Usage: nocturne " + command).contains("--config", "Exit codes:");
    }

    /// As from a terminal, on the service's folders.
    private int run(String... words) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        List<String> line = new ArrayList<>(List.of(words));
        for (String name : List.of("inbox", "outbox", "work")) {
            line.add("-Dnocturne.%s=%s".formatted(name, folder.resolve(name)));
        }
        line.add("-Dnocturne.settle=300ms");
        return new Main().run(new PrintWriter(out, true), new PrintWriter(err, true), line.toArray(String[]::new));
    }
}
