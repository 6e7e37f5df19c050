package nocturne.desk.doctor;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// Another program, asked a question.
final class Tool {
    private static final Duration PATIENCE = Duration.ofSeconds(15);
    private static final int LONGEST = 1 << 20;

    private Tool() {}

    /// What it said.
    ///
    /// @param code its exit code; -1 if it did not end in time
    record Answer(int code, String text) {}

    /// Empty if there is no such program.
    static Optional<Answer> ask(List<String> command) throws InterruptedException {
        Process process;
        try {
            process = new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
        } catch (IOException absent) {
            return Optional.empty();
        }
        // Read beside the waiting: a program with much to say stops when nobody listens.
        CompletableFuture<String> text = new CompletableFuture<>();
        Thread.ofPlatform().daemon().name("answer").start(() -> {
            try (var output = process.getInputStream()) {
                text.complete(new String(output.readNBytes(LONGEST), StandardCharsets.UTF_8));
            } catch (IOException e) {
                text.complete("");
            }
        });
        if (!process.waitFor(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
            process.destroyForcibly();
            return Optional.of(new Answer(-1, "no answer after " + PATIENCE.toSeconds() + " s"));
        }
        return Optional.of(new Answer(process.exitValue(), text.completeOnTimeout("", 5, TimeUnit.SECONDS).join()));
    }
}
