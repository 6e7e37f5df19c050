package nocturne.service.slot;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.promise.Promise;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A full disk costs time. The number of free bytes is the test's to choose; the full disk itself is the fake's word.
final class DiskRoomTest {
    @TempDir
    private Path folder;

    @Promise(row = 31, fault = "the trainer finds the disk full; later there is room", with = "fake engine")
    @Test
    void aJobIsPutAsideUntilThereIsRoom() throws Exception {
        AtomicLong free = new AtomicLong(1000);
        SlotBench bench = new SlotBench(folder).with("disk.reserve", 500);
        SlotFactory.World world = bench.world();
        bench.in(new SlotFactory.World(world.variables(), world.processes(), world.clock(), world.nanos(),
                _ -> OptionalLong.of(free.get())));
        try (bench) {
            bench.start();
            JobId id = bench.add("maya", "ms 50", "once", "step 7: fail 74 DISK_FULL writing x: the disk is full");
            bench.awaitStep(id, 1);
            free.set(10);
            Job parked = bench.awaitState(id, JobState.PARKED);
            assertThat(parked.code()).isEqualTo("DISK_FULL");
            assertThat(parked.failures()).isZero();
            JobId waiting = bench.add("waiting", "steps 3");
            bench.slots().wake();
            assertThat(bench.slots().free()).isZero();

            free.set(1000);
            bench.slots().wake();
            bench.awaitState(id, JobState.PUBLISHING);
            bench.awaitState(waiting, JobState.PUBLISHING);
            assertThat(bench.types(id)).containsSubsequence("job.parked", "job.queued", "job.started");
        }
    }
}
