package nocturne;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import nocturne.train.Stop;
import org.jspecify.annotations.Nullable;

/// Turns the wish to end this process into a wish to stop after the current step, and ends it once the state is on
/// disk.
///
/// The wish comes as a signal (SIGTERM, Ctrl-C), or as the end of standard input where that is a pipe which a parent
/// holds open as long as it lives. Java would answer a signal with an exit code of its own; here the code is the
/// command's, or [ExitCode#STOPPED] where there was no work yet that could be lost.
final class StopSignal implements Stop {
    /// A person or a service manager asked: the longest step that is worth waiting for.
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    /// Nobody is there any more to wait for us, and the next service wants the device.
    private static final Duration PATIENCE_OF_AN_ORPHAN = Duration.ofSeconds(10);

    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile boolean requested;
    private volatile boolean working;
    private volatile int exitCode = ExitCode.STOPPED.number();
    private @Nullable Thread hook;

    /// Stops the run when this process is asked to end.
    void onSignal() {
        Thread leaving = new Thread(() -> leave(PATIENCE), "nocturne-stop");
        Runtime.getRuntime().addShutdownHook(leaving);
        hook = leaving;
    }

    /// Stops the run when nobody holds the other end of this pipe any more.
    void onEndOf(InputStream pipe) {
        Thread.ofPlatform().daemon().name("nocturne-parent").start(() -> {
            try {
                while (pipe.read() >= 0) {
                    // What is written there has no meaning; that it can be written is all.
                }
            } catch (IOException broken) {
                // As good as its end.
            }
            leave(PATIENCE_OF_AN_ORPHAN);
        });
    }

    @Override
    public boolean isRequested() {
        return requested;
    }

    @Override
    public void workBegins() {
        working = true;
    }

    /// The command has come to its end, and all that is to be kept is on disk.
    void ended(int code) {
        exitCode = code;
        ended.countDown();
        Thread installed = hook;
        if (installed == null) return;
        try {
            Runtime.getRuntime().removeShutdownHook(installed);
        } catch (IllegalStateException alreadyGoingDown) {
            // The hook is running: it was waiting for exactly this.
        }
    }

    private void leave(Duration patience) {
        requested = true;
        int code = exitCode;
        if (working || ended.getCount() == 0) code = awaited(patience);
        System.out.flush();
        System.err.flush();
        // Not `exit`, which waits for this very hook, and whose code a signal has already decided.
        Runtime.getRuntime().halt(code);
    }

    private int awaited(Duration patience) {
        try {
            if (ended.await(patience.toMillis(), TimeUnit.MILLISECONDS)) return exitCode;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        System.err.println("The current step did not end; going on from the last saved step next time.");
        return ExitCode.SICK_MACHINE.number();
    }
}
