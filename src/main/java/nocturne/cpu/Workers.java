package nocturne.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// A few threads that share the pieces of one job at a time with the thread that asks.
///
/// Pieces are handed out in order to whoever is free; a job must give the same result whoever does which piece.
/// Waiting threads spin for some microseconds before they sleep, because jobs follow each other closely.
final class Workers implements AutoCloseable {
    /// One piece of a job.
    interface Piece {
        /// @param index  which piece, `0 .. pieces - 1`
        /// @param worker which thread runs it, `0 .. threads - 1`: an index for scratch memory
        void run(int index, int worker);
    }

    private static final int SPINS = 4_000;
    /// Fewer numbers than this are done before another thread has woken up.
    private static final int ELEMENTS_PER_PIECE = 1 << 14;

    private final Thread[] threads;
    private final MemorySegment[] scratch;
    private volatile @Nullable Job current;
    private volatile boolean closed;

    /// @param count threads in all, the caller's included; at least 1
    Workers(int count) {
        threads = new Thread[count - 1];
        scratch = new MemorySegment[count];
        Arrays.fill(scratch, MemorySegment.NULL);
        for (int i = 0; i < threads.length; i++) {
            int worker = i + 1;
            threads[i] = Thread.ofPlatform().daemon().name("nocturne-cpu-" + worker).start(() -> serve(worker));
        }
    }

    int count() {
        return threads.length + 1;
    }

    /// Runs all pieces and returns when the last is done. A job that a piece starts runs on the piece's own thread; it
    /// must then not use scratch memory.
    ///
    /// @throws IllegalStateException after all pieces have run, if one failed; its cause is what the piece threw
    void run(int pieces, Piece piece) {
        Job job = new Job(piece, pieces);
        // While a job is under way, only its pieces can be asking.
        if (pieces <= 1 || threads.length == 0 || current != null) {
            job.help(0);
        } else {
            share(job);
        }
        Throwable failure = job.failure;
        if (failure != null) throw new IllegalStateException("a piece of parallel work failed", failure);
    }

    private void share(Job job) {
        current = job;
        for (Thread thread : threads) LockSupport.unpark(thread);
        job.help(0);
        int spins = 0;
        while (job.done.get() < job.pieces) {
            if (++spins < SPINS) Thread.onSpinWait();
            else Thread.yield();
        }
        current = null;
    }

    /// Memory that one worker may scribble on until its piece ends; kept and grown, never shrunk.
    ///
    /// Worker 0's may also be taken by the caller before it starts a job, if the job's pieces take none.
    ///
    /// @param floats how many are needed
    MemorySegment scratch(int worker, long floats) {
        if (scratch[worker].byteSize() < 4 * floats) {
            scratch[worker] = Arena.ofAuto().allocate(4 * Math.max(floats, 1 << 16), 64);
        }
        return scratch[worker];
    }

    /// A range of rows, for work whose result does not depend on where the cuts are.
    interface RowRange {
        void run(int from, int to);
    }

    /// Runs all rows, cut into ranges of a size worth handing out.
    ///
    /// @param columns numbers touched in each row
    void rows(int rows, int columns, RowRange body) {
        int perPiece = Math.max(1, ELEMENTS_PER_PIECE / Math.max(1, columns));
        int pieces = (rows + perPiece - 1) / perPiece;
        run(pieces, (piece, worker) -> body.run(piece * perPiece, Math.min(rows, (piece + 1) * perPiece)));
    }

    private void serve(int worker) {
        Job last = null;
        int spins = 0;
        while (!closed) {
            Job job = current;
            if (job != null && job != last) {
                job.help(worker);
                last = job;
                spins = 0;
            } else if (++spins < SPINS) {
                Thread.onSpinWait();
            } else {
                LockSupport.park(this);
                spins = 0;
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        for (Thread thread : threads) LockSupport.unpark(thread);
    }

    private static final class Job {
        final Piece piece;
        final int pieces;
        final AtomicInteger next = new AtomicInteger();
        final AtomicInteger done = new AtomicInteger();
        volatile @Nullable Throwable failure;

        Job(Piece piece, int pieces) {
            this.piece = piece;
            this.pieces = pieces;
        }

        void help(int worker) {
            for (int i = next.getAndIncrement(); i < pieces; i = next.getAndIncrement()) {
                try {
                    piece.run(i, worker);
                } catch (Throwable problem) {
                    failure = problem;
                } finally {
                    done.incrementAndGet();
                }
            }
        }
    }
}
