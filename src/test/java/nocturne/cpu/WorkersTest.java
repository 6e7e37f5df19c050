package nocturne.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkersTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5})
    void everyPieceRunsExactlyOnceAndIsDoneWhenTheCallReturns(int threads) {
        try (Workers workers = new Workers(threads)) {
            for (int pieces : new int[] {0, 1, 2, 3, 64, 1000}) {
                // Plain memory on purpose: what a piece wrote must be visible to the caller afterwards.
                int[] runs = new int[pieces];
                workers.run(pieces, (piece, worker) -> runs[piece]++);
                assertThat(runs).as("%d pieces", pieces).containsOnly(pieces == 0 ? new int[0] : new int[] {1});
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void noTwoPiecesShareAWorkerNumberAtOnce(int threads) {
        try (Workers workers = new Workers(threads)) {
            AtomicIntegerArray busy = new AtomicIntegerArray(threads);
            AtomicInteger clashes = new AtomicInteger();
            workers.run(2000, (piece, worker) -> {
                if (busy.incrementAndGet(worker) != 1) clashes.incrementAndGet();
                busy.decrementAndGet(worker);
            });
            assertThat(clashes).hasValue(0);
        }
    }

    /// Jobs that end before a thread has noticed them, one after another: a thread that comes late must neither run a
    /// piece of the old job nor miss the new one.
    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void manyTinyJobsFollowEachOther(int threads) {
        try (Workers workers = new Workers(threads)) {
            long[] sum = new long[2];
            for (int job = 0; job < 20_000; job++) {
                int number = job;
                workers.run(2, (piece, worker) -> sum[piece] += number + piece);
            }
            long jobs = 20_000L * 19_999 / 2;
            assertThat(sum).containsExactly(jobs, jobs + 20_000);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void theCallerIsToldOfAFailedPieceAndCanGoOn(int threads) {
        try (Workers workers = new Workers(threads)) {
            for (int failing : new int[] {0, 7, 63}) {
                ArithmeticException problem = new ArithmeticException("piece " + failing);
                assertThatThrownBy(() -> workers.run(64, (piece, worker) -> {
                    if (piece == failing) throw problem;
                })).isInstanceOf(IllegalStateException.class).hasCause(problem);
            }
            int[] runs = new int[64];
            workers.run(64, (piece, worker) -> runs[piece]++);
            assertThat(runs).containsOnly(1);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void rowsAreCutWithoutGapOrOverlap(int threads) {
        try (Workers workers = new Workers(threads)) {
            for (int columns : new int[] {1, 33, 1 << 14, 1 << 20}) {
                int rows = columns > 1000 ? 37 : 40_000;
                int[] runs = new int[rows];
                workers.rows(rows, columns, (from, to) -> {
                    for (int row = from; row < to; row++) runs[row]++;
                });
                assertThat(runs).as("%d columns", columns).containsOnly(1);
            }
            workers.rows(0, 5, (from, to) -> {
                throw new AssertionError("no rows, no work");
            });
        }
    }

    @Test
    void scratchMemoryIsAsLargeAsAskedForAndOneForEachWorker() {
        try (Workers workers = new Workers(2)) {
            for (long floats : new long[] {1, 1 << 16, (1 << 16) + 1, 1 << 20}) {
                assertThat(workers.scratch(0, floats).byteSize()).isGreaterThanOrEqualTo(4 * floats);
                assertThat(workers.scratch(1, floats).address()).isNotEqualTo(workers.scratch(0, floats).address());
            }
            assertThat(workers.scratch(0, 5)).isSameAs(workers.scratch(0, 1 << 20));
        }
    }

    @Test
    void closingEndsTheThreads() throws InterruptedException {
        Set<Thread> before = threads();
        Workers workers = new Workers(4);
        workers.run(8, (piece, worker) -> {});
        Set<Thread> ours = threads();
        ours.removeAll(before);
        assertThat(ours).hasSize(3);
        workers.close();
        for (Thread thread : ours) {
            assertThat(thread.join(Duration.ofSeconds(20))).as("%s ended", thread.getName()).isTrue();
        }
    }

    private static Set<Thread> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("nocturne-cpu-"))
                .collect(Collectors.toSet());
    }
}
