package nocturne.service.publish;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import nocturne.event.EventLine;
import nocturne.promise.Promise;
import nocturne.service.ServiceProcess;
import nocturne.service.broker.TestBroker;
import nocturne.service.fake.FakeBundle;
import nocturne.service.fake.FakeEngine;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The whole service with Kafka and webhooks, over good, failing and refused jobs.
class CanaryTest {
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final List<String> CANARIES = List.of("canary-webhook-file-61fe", "canary-webhook-variable-22c8",
            "canary-in-the-path-9b4d", "canary-kafka-password-70aa");

    @TempDir
    Path folder;
    final List<String> hooked = new CopyOnWriteArrayList<>();

    /// A canary is what a mine is watched with: four secrets, each a text that can be found nowhere else.
    @Test
    @Promise(row = 36, fault = "canaries in every secret, through good, failing and refused jobs")
    @Promise(row = 32, fault = "a webhook that is never there and a broker that is, over whole jobs")
    void noCanaryIsFoundAnywhereAndEveryoneIsToldEverything() throws Exception {
        HttpServer hook = hook();
        String events = TestBroker.topic("events", 1);
        try (ServiceProcess service = ServiceProcess.in(folder);
                Topic topic = new Topic(TestBroker.bootstrap(), events)) {
            service.withVariable("HOOK_SECRET", CANARIES.get(1));
            service.withVariable("NOCTURNE_KAFKA_PASSWORD", CANARIES.get(3));
            Path config = config(events, hook.getAddress().getPort());
            service.start("--config", config.toString()).awaitReady();
            FakeBundle.of("good", "steps 10", "ms 50").zip(service.inbox().resolve("good.zip"));
            FakeBundle.of("bad", "step 3: fail 64 RECIPE_INVALID cannot be").zip(service.inbox().resolve("bad.zip"));
            FakeBundle.of("none", "steps 0").zip(service.inbox().resolve("none.zip"));
            List<String> commands = new ArrayList<>();
            await().atMost(PATIENCE).untilAsserted(() -> {
                commands.addAll(commandLines());
                assertThat(states(service)).as(() -> String.join("\n", service.lines()))
                        .containsExactly("completed", "failed", "refused");
            });
            assertThat(commands).as("trainers were seen").anyMatch(line -> line.contains("--supervised"));
            topic.readUntil(read -> Topic.lines(read).stream()
                    .filter(line -> line.type().matches("nocturne.job.(completed|failed|rejected).v1")).count() == 3);
            service.terminate();
            List<ConsumerRecord<String, byte[]>> records = topic.readUntil(_ -> true);
            Listener.assertComplete(withoutHost(Topic.lines(records)), journals(service));
            assertThat(withoutHost(hooked.stream().map(line -> EventLine.parse(line).orElseThrow()).toList()))
                    .extracting(EventLine::type).contains("nocturne.job.completed.v1", "nocturne.job.failed.v1");
            for (String canary : CANARIES) {
                assertThat(commands).noneMatch(line -> line.contains(canary));
                assertThat(service.lines()).noneMatch(line -> line.contains(canary));
                assertThat(hooked).noneMatch(line -> line.contains(canary));
                assertThat(records).noneMatch(record -> text(record.value()).contains(canary)
                        || Arrays.stream(record.headers().toArray()).anyMatch(h -> text(h.value()).contains(canary)));
                assertThat(filesWith(canary, service.work())).isEmpty();
                assertThat(filesWith(canary, service.outbox())).isEmpty();
            }
        } finally {
            hook.stop(0);
        }
    }

    private HttpServer hook() throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", exchange -> {
            hooked.add(text(exchange.getRequestBody().readAllBytes()));
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
        });
        server.start();
        return server;
    }

    private Path config(String events, int port) throws IOException {
        Path secret = Files.writeString(folder.resolve("hook.secret"), CANARIES.get(0) + "\n");
        String command = FakeEngine.command().stream().map(word -> "'" + word + "'").toList().toString();
        return Files.writeString(folder.resolve("nocturne.yml"), """
                nocturne:
                  kafka: {brokers: '%s', events: %s, jobs: %s, claims: %s, commands: %s, dead-letters: %s, group: %s}
                  disk: {reserve: 0}
                  trainer: {command: %s}
                  webhooks:
                    - {url: 'http://127.0.0.1:%d/%s?token=%s', secret-file: '%s'}
                    - {url: 'http://127.0.0.1:1/%s', secret-env: HOOK_SECRET}
                """.formatted(TestBroker.bootstrap(), events, TestBroker.topic("jobs", 1),
                TestBroker.topic("claims", 1), TestBroker.topic("commands", 1), TestBroker.topic("dead", 1),
                TestBroker.fresh("group"), command, port, CANARIES.get(2), CANARIES.get(2), secret, CANARIES.get(2)));
    }

    private static List<String> states(ServiceProcess service) throws IOException {
        List<String> states = new ArrayList<>();
        for (Path job : children(service.outbox())) {
            Path card = job.resolve("job.json");
            if (Files.exists(card)) states.add(new ObjectMapper().readTree(card.toFile()).path("state").asText());
        }
        return states.stream().sorted().toList();
    }

    private static List<Path> children(Path folder) throws IOException {
        if (Files.notExists(folder)) return List.of();
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    private static Map<String, List<EventLine>> journals(ServiceProcess service) throws IOException {
        Map<String, List<EventLine>> journals = new TreeMap<>();
        for (Path job : children(service.work().resolve("jobs"))) {
            journals.put(job.getFileName().toString(), Desk.lines(job.resolve("events.jsonl")));
        }
        return journals;
    }

    private static List<EventLine> withoutHost(List<EventLine> lines) {
        return lines.stream().filter(line -> !line.type().startsWith("nocturne.host.")).toList();
    }

    /// Of every process that we may look at.
    private static List<String> commandLines() throws IOException {
        List<String> lines = new ArrayList<>();
        for (Path process : children(Path.of("/proc"))) {
            try {
                if (process.getFileName().toString().matches("\\d+")) {
                    lines.add(Files.readString(process.resolve("cmdline"), StandardCharsets.ISO_8859_1));
                }
            } catch (IOException ended) {
                // Between the list and the look.
            }
        }
        return lines;
    }

    private static List<Path> filesWith(String text, Path folder) throws IOException {
        List<Path> found = new ArrayList<>();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                if (Files.readString(file, StandardCharsets.ISO_8859_1).contains(text)) found.add(file);
            }
        }
        return found;
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }
}
