package nocturne.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import nocturne.promise.Promise;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The real service, from its start to its end, as a process of its own.
final class ServeTest {
    @TempDir
    private Path folder = Path.of("");

    @Test
    void startsAnswersAndEndsInOrderOnSigterm() throws IOException {
        try (ServiceProcess service = service().start().awaitReady()) {
            assertThat(service.get("/health/liveness").statusCode()).isEqualTo(200);
            assertThat(service.get("/health/readiness").body()).contains("\"reason\":\"ready\"");
            assertThat(service.get("/prometheus").body())
                    .contains("nocturne_jobs{state=\"queued\"} 0.0", "nocturne_disk_free_bytes{folder=\"work\"}");
            assertThat(service.get("/env").statusCode()).as("what shows settings is closed").isEqualTo(404);

            assertThat(service.terminate()).isZero();
            assertThat(service.lines()).anyMatch(line -> line.contains("stopping: SIGTERM"))
                    .last().asString().contains("stopped after");
            assertThat(service.work().resolve("status.json")).doesNotExist();
            assertThat(Files.readAllLines(service.work().resolve("host/events.jsonl")))
                    .satisfiesExactly(
                            line -> assertThat(line).contains("nocturne.host.started.v1"),
                            line -> assertThat(line).contains("nocturne.host.draining.v1", "SIGTERM"));
        }
    }

    @Test
    @Promise(row = 47, fault = "a second service on the same work folder, and one after a kill -9")
    void aSecondServiceOnTheSameFolderEndsWithTheHoldersNumber() throws IOException {
        try (ServiceProcess first = service().start().awaitReady()) {
            try (ServiceProcess second = service().start()) {
                assertThat(second.exitCode()).isEqualTo(73);
                await().until(() -> second.lines().stream()
                        .anyMatch(line -> line.contains("process " + first.process().pid())));
            }
            first.kill();
            first.start().awaitReady();
            assertThat(first.terminate()).isZero();
        }
    }

    @Test
    void everythingThatIsWrongWithTheSettingsIsSaidAtOnceAndWithoutATrace() throws IOException {
        Path file = Files.writeString(folder.resolve("nocturne.yml"), """
                nocturne:
                  inboxx: /srv
                  log-format: loud
                """);
        try (ServiceProcess service = service().with("nocturne.management.port", "many").with("inbox", "x")
                .start("--config", file.toString())) {
            assertThat(service.exitCode()).isEqualTo(64);
            await().untilAsserted(() -> assertThat(service.lines()).containsExactly(
                    "The configuration has 4 problems; nothing was started.",
                    "  " + file + ": nocturne.inboxx is not a setting; the nearest one is nocturne.inbox",
                    "  -Dinbox: inbox is not a setting; all of ours begin with nocturne. (nocturne.inbox?)",
                    "  nocturne.log-format: \"loud\" is not allowed; one of text, json",
                    "  nocturne.management.port: \"many\" is not allowed; a whole number"));
        }
    }

    /// In settings that contradict each other, and in what the hub's own programs read.
    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "; ; nocturne.models: with pull: missing, nocturne.models.roots must name a folder to put models into",
        "HF_ENDPOINT; ftp://me:secret@hub; HF_ENDPOINT: must be the address of a hub",
        "HF_TOKEN; two words; HF_TOKEN: holds something else than a token"})
    void whatMakesPullingImpossibleIsSaidAtTheStart(String variable, String value, String said) throws IOException {
        ServiceProcess service = service().with("nocturne.models.pull", "missing");
        if (variable == null) service.with("nocturne.models.roots", " ");
        else service.withVariable(variable, value);
        try (service) {
            assertThat(service.start().exitCode()).isEqualTo(64);
            await().untilAsserted(() -> assertThat(service.lines()).singleElement().asString().startsWith(said)
                    .doesNotContain("secret", "words"));
        }
    }

    @Test
    void aRouteThatCannotBeUsedStopsTheStartWithItsFile() throws IOException {
        Path routes = Files.createDirectories(folder.resolve("routes"));
        Path route = Files.writeString(routes.resolve("odd.camel.yaml"), """
                - route:
                    id: odd
                    from:
                      uri: file
                      parameters: { directory: /srv }
                      steps: [ { to: { uri: "direct:x" } } ]
                """);
        Files.writeString(routes.resolve("kafka-broken.camel.yaml"), "this would stop the start");
        try (ServiceProcess service = service().with("nocturne.routes", routes).start()) {
            assertThat(service.exitCode()).isEqualTo(64);
            await().untilAsserted(() -> assertThat(service.lines()).singleElement().asString()
                    .startsWith(route.toString()).contains("directoryName"));
        }
    }

    @Test
    void theEnvironmentOutweighsTheFileAndTheCommandLineBoth() throws IOException {
        Files.writeString(folder.resolve("nocturne.yml"), "nocturne: { host: from-file, log-format: json }\n");
        List<String> arguments = List.of("--config", folder.resolve("nocturne.yml").toString());
        try (ServiceProcess service = service().withVariable("NOCTURNE_HOST", "from-environment")
                .withVariable("NOCTURNE_GRACEFUL", "1").start(arguments.toArray(String[]::new)).awaitReady()) {
            assertThat(service.lines()).anyMatch(line -> line.startsWith("{") && line.contains("host from-environment"))
                    .anyMatch(line -> line.contains("the variable NOCTURNE_GRACEFUL means nothing here"));
        }
        try (ServiceProcess service = service().withVariable("NOCTURNE_HOST", "from-environment")
                .with("nocturne.host", "from-command-line").start(arguments.toArray(String[]::new)).awaitReady()) {
            assertThat(service.lines()).anyMatch(line -> line.contains("host from-command-line"));
            assertThat(Files.exists(service.work().resolve("host-from-environment/events.jsonl")))
                    .as("the journal of the same work folder under another name").isTrue();
        }
    }

    /// A reader that looks all the time sees whole files only; a service that stands still is seen by its file's age.
    @Test
    @Promise(row = 48, fault = "a reader in a tight loop; a frozen service")
    void statusIsAlwaysWholeAndGrowsOldWhenTheServiceStandsStill() throws Exception {
        try (ServiceProcess service = service().start().awaitReady()) {
            Path status = service.work().resolve("status.json");
            long last = 0;
            int reads = 0;
            for (long end = System.nanoTime() + Duration.ofSeconds(12).toNanos(); System.nanoTime() < end; reads++) {
                var parsed = new ObjectMapper().readTree(Files.readAllBytes(status));
                assertThat(parsed.path("beat").asLong()).isGreaterThanOrEqualTo(last);
                last = parsed.path("beat").asLong();
            }
            assertThat(reads).isGreaterThan(100);
            assertThat(last).as("writes seen").isGreaterThan(1);

            new ProcessBuilder("kill", "-STOP", Long.toString(service.process().pid())).start().waitFor();
            var before = Files.getLastModifiedTime(status);
            Thread.sleep(Duration.ofSeconds(7));
            assertThat(Files.getLastModifiedTime(status)).as("nobody writes it").isEqualTo(before);
            new ProcessBuilder("kill", "-CONT", Long.toString(service.process().pid())).start().waitFor();
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> Files.getLastModifiedTime(status).compareTo(before) > 0);
        }
    }

    private ServiceProcess service() throws IOException {
        return ServiceProcess.in(folder).onlyNotingIn(folder.resolve("notes"));
    }
}
