package nocturne.service.kafka;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import nocturne.job.JobState;

/// A [TestHost] in a process of its own, to be stopped, continued and killed.
final class HostProcess implements AutoCloseable {
    private final Process process;
    private final String signal;
    private final BlockingQueue<String> places = new LinkedBlockingQueue<>();
    private final List<String> lines = new CopyOnWriteArrayList<>();

    private HostProcess(Process process, String signal) {
        this.process = process;
        this.signal = signal;
        Thread.ofPlatform().daemon().start(this::listen);
    }

    /// @param signal that it gets there, such as `STOP` or `KILL`
    /// @param place between two steps of a claim, where the process says that it is there and waits 20 s; empty
    ///              for none
    static HostProcess start(KafkaConfig config, String name, Path work, int devices, Duration training, String place,
            String signal) {
        try {
            Process process = new ProcessBuilder(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m", "-cp",
                    System.getProperty("java.class.path"), HostProcess.class.getName(), config.brokers(),
                    config.group(), name, work.toString(), String.valueOf(devices),
                    String.valueOf(training.toMillis()), String.valueOf(config.beat().toMillis()),
                    String.valueOf(config.lease().toMillis()), place)
                    .redirectError(ProcessBuilder.Redirect.INHERIT).start();
            return new HostProcess(process, signal);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    public static void main(String[] arguments) throws IOException {
        KafkaConfig config = TestHost.config(arguments[0], arguments[1],
                Duration.ofMillis(Long.parseLong(arguments[6])), Duration.ofMillis(Long.parseLong(arguments[7])));
        boolean[] waited = new boolean[1];
        TestHost host = new TestHost(config, arguments[2], Path.of(arguments[3]), Integer.parseInt(arguments[4]),
                Duration.ofMillis(Long.parseLong(arguments[5])), place -> {
                    if (!place.equals(arguments[8]) || waited[0]) return;
                    waited[0] = true;
                    System.out.println("at " + place);
                    try {
                        Thread.sleep(20_000);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                });
        host.ledger.listen(job -> System.out.printf("%s %s %d%n", job.state().word(), job.id(), System.nanoTime()));
        host.start();
        int end = System.in.read();
        System.out.println("end " + end);
        host.close();
        System.exit(0);
    }

    private void listen() {
        try (BufferedReader reader = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                if (line.startsWith("at ")) {
                    signal(signal);
                    places.add(line.substring(3));
                } else {
                    lines.add(line);
                }
            }
        } catch (IOException gone) {
            // Killed, mostly by the test.
        }
    }

    /// One transition of one job.
    record Line(String state, String job, long nanos) {}

    List<Line> lines(JobState state) {
        List<Line> found = new ArrayList<>();
        for (String line : lines) {
            String[] words = line.split(" ");
            if (words.length == 3 && words[0].equals(state.word())) {
                found.add(new Line(words[0], words[1], Long.parseLong(words[2])));
            }
        }
        return found;
    }

    /// Returns when the process was there and has got its signal.
    void awaitPlace() {
        try {
            if (places.poll(90, TimeUnit.SECONDS) == null) throw new AssertionError("never came there: " + lines);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    void signal(String name) {
        try {
            new ProcessBuilder("kill", "-" + name, String.valueOf(process.pid())).inheritIO().start().waitFor();
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    void kill() {
        try {
            process.destroyForcibly().waitFor();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        kill();
    }
}
