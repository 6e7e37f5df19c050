package nocturne.service.broker;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import nocturne.problem.SickMachine;
import org.jspecify.annotations.Nullable;

/// A broker that runs beside us and ends with us.
///
/// ```
/// <folder>/data/        what Kafka keeps
/// <folder>/broker.log   what went wrong; empty as a rule
/// ```
public final class BrokerProcess implements AutoCloseable {
    /// A cold start on a busy machine takes 15 s; after a kill some seconds more.
    private static final Duration START = Duration.ofSeconds(90);
    private static final Duration STOP = Duration.ofSeconds(15);
    /// Somebody else may take a port between our finding it free and the broker's opening it.
    private static final int TRIES = 3;

    private final Process process;
    private final String bootstrap;

    private BrokerProcess(Process process, String bootstrap) {
        this.process = process;
        this.bootstrap = bootstrap;
    }

    /// Starts a broker and returns when it answers.
    ///
    /// @param folder where its data is, or will be; one broker at a time
    /// @param port   on this machine; 0 for any that is free
    /// @throws SickMachine `BROKER_FAILED` with what it said
    public static BrokerProcess start(Path folder, int port) {
        for (int tries = 1; ; tries++) {
            try {
                return startOnce(folder, port == 0 ? freePort() : port);
            } catch (SickMachine failed) {
                if (port != 0 || tries == TRIES) throw failed;
            }
        }
    }

    private static BrokerProcess startOnce(Path folder, int port) {
        Path log = folder.resolve("broker.log");
        Process process;
        try {
            Files.createDirectories(folder);
            process = new ProcessBuilder(command(folder.resolve("data"), port))
                    .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
                    .start();
        } catch (IOException e) {
            throw new SickMachine("BROKER_FAILED", "starting a Kafka broker in " + folder + ": " + e.getMessage(), e);
        }
        CompletableFuture<@Nullable String> firstLine = new CompletableFuture<>();
        Thread.ofPlatform().daemon().name("broker-output").start(() -> listen(process, firstLine));
        try {
            String line = firstLine.get(START.toMillis(), TimeUnit.MILLISECONDS);
            if (line == null || !line.startsWith(Broker.READY)) {
                throw new IOException(line == null ? "it ended" : "it said " + line);
            }
            return new BrokerProcess(process, line.substring(Broker.READY.length()));
        } catch (IOException | ExecutionException | TimeoutException e) {
            process.destroyForcibly();
            throw new SickMachine("BROKER_FAILED", "the Kafka broker on port %d did not come up (%s); see %s"
                    .formatted(port, e, log), e);
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new SickMachine("BROKER_FAILED", "interrupted while the Kafka broker started", e);
        }
    }

    /// Hands over the first line, and then keeps the pipe empty, so that the broker never waits to be heard.
    private static void listen(Process process, CompletableFuture<@Nullable String> firstLine) {
        try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
            String line = output.readLine();
            firstLine.complete(line);
            while (line != null) line = output.readLine();
        } catch (IOException gone) {
            firstLine.complete(null);
        }
    }

    private static List<String> command(Path data, int port) {
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m", "-XX:+UseSerialGC",
                // It lives for minutes, and shares two cores with what it serves.
                "-XX:TieredStopAtLevel=1",
                // Kafka unmaps its files by a way that newer JDKs warn of.
                "--sun-misc-unsafe-memory-access=allow", "--enable-native-access=ALL-UNNAMED",
                "-Dlogback.configurationFile=nocturne/broker-logback.xml",
                "-cp", System.getProperty("java.class.path"),
                Broker.class.getName(), data.toString(), String.valueOf(port), String.valueOf(freePort()));
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Where clients find it, as `host:port`.
    public String bootstrap() {
        return bootstrap;
    }

    public int port() {
        return Integer.parseInt(bootstrap.substring(bootstrap.lastIndexOf(':') + 1));
    }

    public long pid() {
        return process.pid();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /// Ends it as a power cut would. What it had acknowledged is found by the next start in the same folder.
    public void kill() {
        process.destroyForcibly();
        awaitEnd();
    }

    /// Ends it in order; returns when it is gone.
    @Override
    public void close() {
        try {
            process.getOutputStream().close();
        } catch (IOException gone) {
            // Then there is nobody to tell.
        }
        if (!awaitEnd()) kill();
    }

    private boolean awaitEnd() {
        try {
            return process.waitFor(STOP.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            return true;
        }
    }
}
