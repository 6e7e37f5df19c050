package nocturne.train;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Turns the wish to end this process (SIGTERM, Ctrl-C) into a wish to stop after the current step, and holds the
/// process until the state is on disk.
final class StopSignal implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 120;

    private final CountDownLatch saved = new CountDownLatch(1);
    private final Thread hook;
    private volatile boolean requested;

    StopSignal() {
        hook = new Thread(this::stopAndWait, "nocturne-stop");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    private void stopAndWait() {
        requested = true;
        try {
            boolean inTime = saved.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
            if (!inTime) {
                System.err.println("The current step did not end; going on from the last saved step next time.");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    boolean isRequested() {
        return requested;
    }

    /// Training has ended, one way or another, and all that is to be kept is on disk.
    @Override
    public void close() {
        saved.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException alreadyGoingDown) {
            // The hook is running: it was waiting for exactly this.
        }
    }
}
