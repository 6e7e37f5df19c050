package nocturne.desk.demo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import nocturne.promise.Promise;
import nocturne.service.fake.FakeBundle;
import nocturne.service.fake.FakeEngine;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/// `nocturne demo` as a person runs it, in a process of its own, with a real broker and a real service; only the
/// trainer is a fake, which takes a second or two where the real one takes half a minute.
final class DemoTest {
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    @TempDir
    private Path home;

    private Process process;
    private final List<String> lines = new CopyOnWriteArrayList<>();

    @BeforeEach
    void makeHome() throws IOException {
        Path here = Path.of("").toAbsolutePath();
        Files.createSymbolicLink(home.resolve("models"), here.resolve("models"));
        Files.createSymbolicLink(home.resolve("routes"), here.resolve("routes"));
        Files.createDirectory(home.resolve("tmp"));
        FakeBundle.of("ohwx", "steps 60", "ms 25", "sample 20").folder(home.resolve("examples/ohwx"));
    }

    @AfterEach
    void endWhatIsLeft() {
        if (process != null) process.destroyForcibly();
    }

    /// Killed, stopped by Ctrl-C, run to its end: three demonstrations on the same folders.
    @Test
    @Promise(row = 23, fault = "kill -9 of a process that holds the service, while a trainer and a broker run",
            with = "fake trainer")
    @Promise(row = 21, fault = "SIGTERM while a trainer runs", with = "fake trainer")
    void itLeavesNothingRunningHoweverItEndsAndGoesOnTheNextTime() throws Exception {
        start();
        awaitLine("started on cpu");
        List<ProcessHandle> children = process.descendants().toList();
        assertThat(children).as("a broker and a trainer").hasSizeGreaterThanOrEqualTo(2);
        process.destroyForcibly();
        await().atMost(Duration.ofSeconds(30)).until(() -> children.stream().noneMatch(ProcessHandle::isAlive));

        start();
        awaitLine("was not finished the last time, and goes on");
        awaitLine("onto the topic: ohwx-night");
        awaitLine("started on cpu");
        List<ProcessHandle> more = process.descendants().toList();
        // Not INT: a process that was started in the background may have been told to ignore it.
        new ProcessBuilder("kill", "-TERM", String.valueOf(process.pid())).inheritIO().start().waitFor();
        assertThat(exitCode()).isEqualTo(75);
        assertThat(lines).anyMatch(line -> line.startsWith("Stopped."));
        assertThat(more).noneMatch(ProcessHandle::isAlive);

        start();
        assertThat(exitCode()).as("%s", lines).isZero();
        assertWhole("ohwx", "ohwx-night");
    }

    /// Takes as long as the other one, and shows less that could break.
    @Test
    @EnabledIfSystemProperty(named = "nocturne.long", matches = "true")
    void whatWasTrainedBeforeIsTrainedOnceMore() throws Exception {
        for (int run = 1; run <= 2; run++) {
            start();
            assertThat(exitCode()).as("%s", lines).isZero();
        }
        assertThat(lines).anyMatch(line -> line.contains("it was trained before, so it asks for another run"));
        assertWhole("ohwx", "ohwx-night");
        try (Stream<Path> results = Files.list(home.resolve("outbox"))) {
            assertThat(results).hasSize(4);
        }
    }

    private void assertWhole(String... names) throws IOException {
        for (String name : names) {
            assertThat(lines).anyMatch(line -> line.contains("completed: " + name + ".safetensors"));
            try (Stream<Path> results = Files.list(home.resolve("outbox"))) {
                assertThat(results.filter(job -> job.getFileName().toString().matches(name + "-[0-9a-f]{8}")))
                        .isNotEmpty().allSatisfy(job -> {
                            assertThat(job.resolve("manifest.json")).exists();
                            assertThat(job.resolve(name + ".safetensors")).exists();
                            assertThat(job.resolve("report.html")).exists();
                        });
            }
        }
        assertThat(lines).contains("In the outbox:", "Published on nocturne.events:")
                .anyMatch(line -> line.contains("1 job.completed"))
                .anyMatch(line -> line.endsWith("  manifest.json"));
        try (Stream<Path> left = Files.list(home.resolve("tmp"))) {
            assertThat(left.filter(path -> path.getFileName().toString().contains("demo")))
                    .as("temporary folders, but for the one of a process that was killed").hasSizeLessThan(2);
        }
    }

    private void start() throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1", "-Xmx256m", "--enable-native-access=ALL-UNNAMED",
                "-Dnocturne.home=" + home, "-Djava.io.tmpdir=" + home.resolve("tmp"), "-Dlogback.configurationFile="
                        + Path.of("src/main/resources/logback.xml").toAbsolutePath(),
                "-cp", System.getProperty("java.class.path"), "nocturne.Main", "demo",
                "-Dnocturne.trainer.command=" + String.join(",", FakeEngine.command()),
                "-Dnocturne.trainer.look=50ms"));
        lines.clear();
        process = new ProcessBuilder(command).redirectErrorStream(true).start();
        BufferedReader output = process.inputReader(UTF_8);
        Thread.ofVirtual().start(() -> output.lines().forEach(lines::add));
    }

    private void awaitLine(String part) {
        await().atMost(PATIENCE)
                .until(() -> !process.isAlive() || lines.stream().anyMatch(line -> line.contains(part)));
        assertThat(lines).as("exit code %s", process.isAlive() ? "none" : process.exitValue())
                .anyMatch(line -> line.contains(part));
    }

    private int exitCode() throws InterruptedException {
        assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).as("%s", lines).isTrue();
        return process.exitValue();
    }
}
