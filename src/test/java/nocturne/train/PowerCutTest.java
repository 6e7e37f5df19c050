package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import nocturne.io.CrashFileSystem;
import nocturne.io.DiskHistory.Crash;
import nocturne.promise.Promise;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A whole training on a disk that loses power: whatever is left, the same command makes the same results of it.
///
/// The moments are drawn from a seed that is printed; `-Dseed=...` draws them again, `-Dnocturne.long=true` more of
/// them.
class PowerCutTest {
    private static final int CUTS = Boolean.getBoolean("nocturne.long") ? 100 : 8;

    @TempDir
    private Path scratch = Path.of("");

    @Test
    @Promise(row = 2, fault = "power cut at 8 random moments of a training; unforced bytes lost, torn, zeroed")
    @Promise(row = 3, fault = "power cut at 8 random moments of a training, then the same command again")
    void afterAnyPowerCutTheSameCommandEndsInTheSameBytes() throws IOException {
        long seed = Long.getLong("seed", System.nanoTime());
        System.out.println("seed=" + seed);
        SplittableRandom random = new SplittableRandom(seed);
        Path bundle = ShortRun.bundleIn(scratch.resolve("bundle"));
        CrashFileSystem disk = CrashFileSystem.over(Files.createDirectories(scratch.resolve("disk")));
        assertThat(train(bundle, disk.root().resolve("run"))).isTrue();
        disk.promise("complete");
        Path recorded = disk.realRoot().resolve("run");

        for (int i = 0; i < CUTS; i++) {
            Crash crash = disk.crash(random);
            System.out.println(crash);
            Path left = crash.rebuiltIn(scratch.resolve("left")).resolve("run");
            assertThat(train(bundle, left)).as(crash.toString()).isTrue();
            assertThat(ShortRun.results(left)).as(crash.toString()).isEqualTo(ShortRun.results(recorded));
        }
    }

    private boolean train(Path bundle, Path out) {
        PrintStream nowhere = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        return Training.run(new TrainingRequest(bundle, out, ShortRun.MODEL,
                Runtime.getRuntime().availableProcessors(), scratch.resolve("home"), "test", nowhere));
    }
}
