package nocturne.service.publish;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Work that comes in keys: several keys at once, one key never twice at once, and however often a key was asked for
/// while it waited, it is done once.
///
/// @param <K> such as a job
final class KeyedWork<K> implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(KeyedWork.class);
    private static final Duration AFTER_A_BUG = Duration.ofMinutes(1);

    private enum State { WAITING, RUNNING, RUNNING_AND_ASKED_AGAIN }

    private final ScheduledExecutorService threads;
    private final Function<K, Duration> work;
    private final Map<K, State> states = new HashMap<>();

    /// @param work does what there is to do for a key, and says after which time to come back; zero for never, unless
    ///             somebody asks
    KeyedWork(String name, int threadCount, Function<K, Duration> work) {
        this.work = work;
        AtomicInteger number = new AtomicInteger();
        ScheduledThreadPoolExecutor pool = new ScheduledThreadPoolExecutor(threadCount, task -> {
            Thread thread = new Thread(task, name + "-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
        pool.setKeepAliveTime(10, TimeUnit.SECONDS);
        pool.allowCoreThreadTimeOut(true);
        pool.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        this.threads = pool;
    }

    /// Asks for a key to be worked on, soon. Returns at once.
    synchronized void ask(K key) {
        State state = states.get(key);
        if (state == State.WAITING) return;
        if (state == null) {
            states.put(key, State.WAITING);
            start(key);
        } else {
            states.put(key, State.RUNNING_AND_ASKED_AGAIN);
        }
    }

    /// Asks for a key that is not waiting to be worked on after some time. Returns at once.
    synchronized void askLater(K key, Duration wait) {
        State state = states.get(key);
        if (state == null) {
            later(key, wait);
        } else if (state == State.RUNNING) {
            states.put(key, State.RUNNING_AND_ASKED_AGAIN);
        }
    }

    /// Whether nothing is waiting or under way.
    synchronized boolean isIdle() {
        return states.isEmpty();
    }

    private void start(K key) {
        try {
            threads.execute(() -> run(key));
        } catch (RejectedExecutionException closed) {
            states.remove(key);
        }
    }

    private void run(K key) {
        synchronized (this) {
            states.put(key, State.RUNNING);
        }
        Duration again = Duration.ZERO;
        try {
            again = work.apply(key);
        } catch (RuntimeException bug) {
            LOG.error("working on {}; trying again in {} s", key, AFTER_A_BUG.toSeconds(), bug);
            again = AFTER_A_BUG;
        } finally {
            ended(key, again);
        }
    }

    private synchronized void ended(K key, Duration again) {
        boolean asked = states.remove(key) == State.RUNNING_AND_ASKED_AGAIN;
        // Whoever has to be patient with a key is so although somebody asks.
        if (!again.isZero()) {
            later(key, again);
        } else if (asked) {
            ask(key);
        }
    }

    private void later(K key, Duration wait) {
        states.put(key, State.WAITING);
        try {
            var _ = threads.schedule(() -> run(key), wait.toMillis(), TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException closed) {
            states.remove(key);
        }
    }

    /// Lets what is under way come to its end, for a while; then interrupts it.
    @Override
    public void close() {
        threads.shutdown();
        try {
            if (!threads.awaitTermination(5, TimeUnit.SECONDS)) {
                threads.shutdownNow();
                if (!threads.awaitTermination(5, TimeUnit.SECONDS)) LOG.warn("something does not come to its end");
            }
        } catch (InterruptedException e) {
            threads.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }
}
