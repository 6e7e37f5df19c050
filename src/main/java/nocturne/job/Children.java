package nocturne.job;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/// Ends trainers that a service which is no more has left behind.
public interface Children {
    /// Asks, and gives a trainer a minute and a half to save its state.
    Children STANDARD = asked(Duration.ofSeconds(90));


    /// Ends a process, if it is still there. Returns when it is gone or cannot be ended.
    ///
    /// @return whether it is gone; false for one that not even the operating system gets rid of, which may hold its
    ///     device for as long as the machine runs
    boolean end(Job.Child child);

    /// Asks with SIGTERM, waits, then kills. A process that has the number but is another one is left alone.
    ///
    /// @param grace how long a trainer may take to save its state
    static Children asked(Duration grace) {
        return child -> {
            if (!ProcessIdentity.isAlive(child)) return true;
            ProcessHandle.of(child.pid()).ifPresent(ProcessHandle::destroy);
            if (isGone(child, grace)) return true;
            ProcessHandle.of(child.pid()).ifPresent(ProcessHandle::destroyForcibly);
            return isGone(child, Duration.ofSeconds(5));
        };
    }

    private static boolean isGone(Job.Child child, Duration within) {
        long start = System.nanoTime();
        while (ProcessIdentity.isAlive(child)) {
            if (System.nanoTime() - start > within.toNanos()) return false;
            try {
                TimeUnit.MILLISECONDS.sleep(20);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return !ProcessIdentity.isAlive(child);
            }
        }
        return true;
    }
}
