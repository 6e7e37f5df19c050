package nocturne.service.slot;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import nocturne.job.Job;

/// A trainer's process, from start to end.
final class Trainer {
    private static final Duration LAST_WORDS = Duration.ofSeconds(2);

    private final Process process;
    private final BoundedLog log;
    private final Processes processes;
    private final Thread reader;
    private final Job.Child identity;

    /// @param log takes what it says
    Trainer(Process process, BoundedLog log, Processes processes) {
        this.process = process;
        this.log = log;
        this.processes = processes;
        this.identity = Processes.identity(process.toHandle());
        InputStream said = process.getInputStream();
        this.reader = Thread.ofVirtual().name("trainer-" + process.pid()).start(() -> log.drain(said));
    }

    Job.Child identity() {
        return identity;
    }

    long pid() {
        return process.pid();
    }

    /// @return whether it has ended within that time
    boolean ended(Duration within) throws InterruptedException {
        return process.waitFor(within.toNanos(), TimeUnit.NANOSECONDS);
    }

    CompletableFuture<?> onEnd() {
        return process.onExit();
    }

    /// 128 and the signal's number, if it was one.
    int exitCode() {
        return process.exitValue();
    }

    void terminate() {
        processes.terminate(process.toHandle());
    }

    void kill() {
        processes.kill(process.toHandle());
    }

    /// After its end: sweeps up what it may have left running, and hears the last it had to say.
    ///
    /// @param lines at most so many
    String lastWords(int lines) throws InterruptedException {
        Processes.group(process.pid()).forEach(ProcessHandle::destroyForcibly);
        // A process that escaped from the group may hold the pipe open for ever; nobody waits for that.
        if (!reader.join(LAST_WORDS)) close();
        return log.lastWords(lines);
    }

    private void close() {
        try {
            process.getInputStream().close();
        } catch (IOException alreadyClosed) {
            // As wanted.
        }
    }
}
