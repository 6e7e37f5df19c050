package nocturne.train;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import nocturne.io.AtomicFiles;
import org.jspecify.annotations.Nullable;

/// Tells whoever watches that this process lives, and what it is at: `.state/heartbeat.json`.
///
/// `{"pid":4711,"phase":"training","step":7,"steps":40,"work":31,"beat":12}`, one line of fixed length, rewritten in
/// place once a second by a thread of its own, and when something changes. So a beat that stands still means that the
/// process does, and work that stands still while the beat goes on means that the device does. Nothing is decided by
/// this file: it is never forced to the disk, and where it cannot be written training goes on without.
///
/// All methods may be called from any thread.
final class Heartbeat implements AutoCloseable {
    /// What the process is at.
    enum Phase {
        /// Reading the bundle, the recipe and the model.
        LOADING,
        /// Encoding pictures and captions.
        CACHING,
        TRAINING,
        /// Drawing sample pictures.
        SAMPLING,
        /// Writing checkpoints, state or results.
        SAVING;

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private static final int LINE_BYTES = 192;
    private static final long PERIOD_MILLIS = 1000;
    private static final long LEAST_NANOS_BETWEEN = TimeUnit.MILLISECONDS.toNanos(100);

    private final @Nullable FileChannel file;
    private final @Nullable ScheduledExecutorService timer;
    private Phase phase = Phase.LOADING;
    private long step;
    private long steps;
    private long work;
    private long beat;
    private long lastWritten = System.nanoTime();

    private Heartbeat(@Nullable FileChannel file) {
        this.file = file;
        if (file == null) {
            timer = null;
            return;
        }
        write();
        timer = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name("nocturne-heartbeat").factory());
        var _ = timer.scheduleAtFixedRate(this::write, PERIOD_MILLIS, PERIOD_MILLIS, TimeUnit.MILLISECONDS);
    }

    /// For a run that nobody watches.
    static Heartbeat none() {
        return new Heartbeat(null);
    }

    /// Begins to beat in a run's folder, before the run has taken possession of it: looking at a large bundle takes
    /// its time. A folder that is somebody else's is left alone, for [JobFolder] to say so.
    static Heartbeat in(Path root) {
        Path state = root.resolve(".state");
        try {
            if (Files.exists(root) && !Files.isDirectory(state)) return none();
            AtomicFiles.createFolders(state);
            FileChannel file = FileChannel.open(state.resolve("heartbeat.json"), StandardOpenOption.CREATE,
                    StandardOpenOption.WRITE);
            if (!isOurs(file)) {
                file.close();
                return none();
            }
            return new Heartbeat(file);
        } catch (IOException unwritable) {
            // Whoever takes the folder finds out, and tells.
            return none();
        }
    }

    private static boolean isOurs(FileChannel file) throws IOException {
        try {
            return file.tryLock() != null;
        } catch (OverlappingFileLockException heldByThisProcess) {
            return false;
        }
    }

    /// Something else begins.
    synchronized void phase(Phase next) {
        if (phase == next) return;
        phase = next;
        changed();
    }

    /// How far the run is, after a step or at the start of a resumed run.
    synchronized void step(long done, long ofSteps) {
        phase = Phase.TRAINING;
        step = done;
        steps = ofSteps;
        work++;
        changed();
    }

    /// A piece of work is done: a picture encoded or drawn, a file written.
    synchronized void worked() {
        work++;
        changed();
    }

    /// The steps of a small model last a few milliseconds; what is skipped here the timer writes.
    private void changed() {
        if (System.nanoTime() - lastWritten >= LEAST_NANOS_BETWEEN) write();
    }

    private synchronized void write() {
        if (file == null) return;
        lastWritten = System.nanoTime();
        String line = "{\"pid\":%d,\"phase\":\"%s\",\"step\":%d,\"steps\":%d,\"work\":%d,\"beat\":%d}".formatted(
                ProcessHandle.current().pid(), phase.word(), step, steps, work, ++beat);
        byte[] bytes = (line + " ".repeat(LINE_BYTES - 1 - line.length()) + "\n").getBytes(StandardCharsets.US_ASCII);
        try {
            file.write(ByteBuffer.wrap(bytes), 0);
        } catch (IOException missed) {
            // A beat that cannot be written is a beat that is missed; the work is not worth less for it.
        }
    }

    @Override
    public void close() {
        if (timer != null) timer.shutdownNow();
        synchronized (this) {
            try {
                if (file != null) file.close();
            } catch (IOException lost) {
                // As above.
            }
        }
    }
}
