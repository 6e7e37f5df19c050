package nocturne.service;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The real `nocturne serve` in a process of its own, with folders of its own below one folder.
public final class ServiceProcess implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Pattern READY = Pattern.compile("ready after .* management on ([^\\s\"]+)");

    private final Map<String, String> settings = new LinkedHashMap<>();
    private final Map<String, String> environment = new LinkedHashMap<>();
    private final List<String> javaOptions = new ArrayList<>();
    private final List<String> lines = new CopyOnWriteArrayList<>();
    private Process process;
    private Thread reader;

    private ServiceProcess() {}

    /// A service that is not started yet, without Kafka, that settles in a moment and answers on any free port.
    public static ServiceProcess in(Path folder) {
        ServiceProcess service = new ServiceProcess();
        return service.with("nocturne.inbox", folder.resolve("inbox"))
                .with("nocturne.outbox", folder.resolve("outbox"))
                .with("nocturne.work", folder.resolve("work"))
                .with("nocturne.settle", "300ms")
                .with("nocturne.grace", "5s")
                .with("nocturne.management.port", 0);
    }

    /// Only notes what comes in, in this folder; see [nocturne.service.inbox.NotingIntake].
    public ServiceProcess onlyNotingIn(Path notes) throws IOException {
        return with("micronaut.test.intake", Files.createDirectories(notes));
    }

    public ServiceProcess with(String key, Object value) {
        settings.put(key, value.toString());
        return this;
    }

    public ServiceProcess withVariable(String name, String value) {
        environment.put(name, value);
        return this;
    }

    public ServiceProcess withJava(String option) {
        javaOptions.add(option);
        return this;
    }

    /// Starts the process and returns at once. May be called again after it has ended.
    public ServiceProcess start(String... arguments) {
        Path java = Path.of(System.getProperty("java.home"), "bin", "java");
        List<String> command = new ArrayList<>(List.of(java.toString(),
                "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx128m",
                "--enable-native-access=ALL-UNNAMED",
                "-Dnocturne.home=" + Path.of("").toAbsolutePath()));
        command.addAll(javaOptions);
        // The tests' own logging would be quieter than the service's.
        command.add("-Dlogback.configurationFile=" + Path.of("src/main/resources/logback.xml").toAbsolutePath());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), "nocturne.Main", "serve"));
        settings.forEach((key, value) -> command.add("-D" + key + "=" + value));
        command.addAll(List.of(arguments));
        lines.clear();
        try {
            ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
            builder.environment().putAll(environment);
            process = builder.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        BufferedReader out = process.inputReader(UTF_8);
        reader = Thread.ofVirtual().start(() -> {
            try (out) {
                for (String line = out.readLine(); line != null; line = out.readLine()) lines.add(line);
            } catch (IOException ended) {
                // With its process.
            }
        });
        return this;
    }

    public ServiceProcess awaitReady() {
        await().atMost(PATIENCE).until(() -> management() != null || !process.isAlive());
        if (management() == null) throw new AssertionError("the service ended: " + lines);
        return this;
    }

    /// Null as long as it is not ready.
    public URI management() {
        for (String line : lines) {
            Matcher ready = READY.matcher(line);
            if (ready.find()) return URI.create(ready.group(1));
        }
        return null;
    }

    public HttpResponse<String> get(String path) {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(HttpRequest.newBuilder(management().resolve(path)).build(),
                    HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /// What it has printed so far.
    public List<String> lines() {
        return lines;
    }

    public Process process() {
        return process;
    }

    public Path inbox() throws IOException {
        return Files.createDirectories(Path.of(settings.get("nocturne.inbox")));
    }

    public Path outbox() {
        return Path.of(settings.get("nocturne.outbox"));
    }

    public Path work() {
        return Path.of(settings.get("nocturne.work"));
    }

    /// SIGTERM; returns the exit code.
    public int terminate() {
        // Not of the process, which would also close what its last words come through.
        process.toHandle().destroy();
        return exitCode();
    }

    public int exitCode() {
        try {
            if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                throw new AssertionError("still running: " + lines);
            }
            reader.join();
            return process.exitValue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /// SIGKILL.
    public void kill() {
        process.toHandle().destroyForcibly();
        exitCode();
    }

    @Override
    public void close() {
        if (process != null && process.isAlive()) kill();
    }
}
