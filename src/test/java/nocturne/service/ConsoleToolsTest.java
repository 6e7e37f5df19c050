package nocturne.service;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import nocturne.io.ContentHash;
import nocturne.service.broker.BrokerProcess;
import nocturne.service.fake.FakeBundle;
import nocturne.service.fake.FakeEngine;
import org.apache.kafka.clients.CommonClientConfigs;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Whoever knows Kafka's own command-line tools and nothing of ours can send a job and follow its life: the real
/// `kafka-console-producer` and `kafka-console-consumer`, a real broker, the real service, a fake trainer.
final class ConsoleToolsTest {
    private static final String PRODUCER = "org.apache.kafka.tools.ConsoleProducer";
    private static final String CONSUMER = "org.apache.kafka.tools.consumer.ConsoleConsumer";

    @TempDir
    private Path folder;

    @Test
    void aJobIsSentAndItsLifeIsReadWithKafkasOwnTools() throws Exception {
        String classPath = classPath();
        Path zip = FakeBundle.of("maya", "steps 40", "sample 20", "save 20").zip(folder.resolve("maya.zip"));
        try (BrokerProcess broker = BrokerProcess.start(folder.resolve("kafka"), 0);
                ServiceProcess service = ServiceProcess.in(folder)
                        .with("nocturne.kafka.brokers", broker.bootstrap())
                        .with("nocturne.kafka.partitions", 2)
                        .with("nocturne.sources.file-roots", folder)
                        .with("nocturne.trainer.command", String.join(",", FakeEngine.command()))) {
            service.start().awaitReady();

            String request = "{\"version\":1,\"id\":\"maya-1\",\"bundle\":{\"uri\":\"%s\",\"sha256\":\"%s\"}}"
                    .formatted(zip.toUri(), ContentHash.ofFile(zip));
            Process producer = tool(classPath, PRODUCER, "--bootstrap-server", broker.bootstrap(), "--topic",
                    "nocturne.jobs");
            try (var input = producer.outputWriter(UTF_8)) {
                input.write(request + "\n");
            }
            assertThat(said(producer)).doesNotContain("Exception");
            assertThat(producer.exitValue()).isZero();

            Process consumer = tool(classPath, CONSUMER, "--bootstrap-server", broker.bootstrap(), "--topic",
                    "nocturne.events", "--from-beginning", "--timeout-ms", "60000", "--formatter-property",
                    "print.key=true", "--formatter-property", "key.separator=|");
            List<JsonNode> life = new ArrayList<>();
            try (var output = consumer.inputReader(UTF_8)) {
                for (String line = output.readLine(); line != null; line = output.readLine()) {
                    if (!line.startsWith("maya-1|")) continue;
                    life.add(new ObjectMapper().readTree(line.substring("maya-1|".length())));
                    if (life.getLast().path("type").asText().equals("nocturne.job.completed.v1")) break;
                }
            } finally {
                consumer.destroyForcibly();
            }
            assertThat(life).isNotEmpty().allSatisfy(event -> {
                assertThat(event.path("specversion").asText()).isEqualTo("1.0");
                assertThat(event.path("subject").asText()).isEqualTo("maya-1");
                assertThat(event.path("datacontenttype").asText()).isEqualTo("application/json");
            });
            assertThat(life).extracting(event -> event.path("type").asText())
                    .startsWith("nocturne.job.queued.v1", "nocturne.job.started.v1")
                    .contains("nocturne.checkpoint.written.v1", "nocturne.sample.written.v1")
                    .endsWith("nocturne.job.completed.v1");
            for (int i = 0; i < life.size(); i++) {
                assertThat(life.get(i).path("sequence").asText()).isEqualTo("%010d".formatted(i + 1));
            }
            assertThat(service.outbox().resolve("maya-1/manifest.json")).exists();
            assertThat(service.terminate()).isZero();
        }
    }

    /// Kafka's tools are a jar that the program itself does not need. On the class path of the tests, or where Maven
    /// keeps what it has fetched: `mvn dependency:get -Dartifact=org.apache.kafka:kafka-tools:4.3.1 -Dtransitive=false`
    private static String classPath() {
        String own = System.getProperty("java.class.path");
        if (own.matches(".*kafka-tools-\\d.*")) return own;
        Path clients = Path.of(CommonClientConfigs.class.getProtectionDomain().getCodeSource().getLocation().getPath());
        String version = clients.getFileName().toString().replaceFirst("kafka-clients-(.*)\\.jar", "$1");
        Path tools = clients.resolve("../../../kafka-tools/%1$s/kafka-tools-%1$s.jar".formatted(version)).normalize();
        assumeTrue(Files.exists(tools), "Kafka's command-line tools have not been fetched: " + tools);
        return own + File.pathSeparator + tools;
    }

    private Process tool(String classPath, String name, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx128m", "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1", "-Dlogback.configurationFile=nocturne/broker-logback.xml", "-cp", classPath,
                name));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    private static String said(Process process) throws IOException, InterruptedException {
        String text = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(1, TimeUnit.MINUTES)).as(text).isTrue();
        return text;
    }
}
