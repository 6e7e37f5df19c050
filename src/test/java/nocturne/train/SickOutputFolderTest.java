package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.SortedMap;
import nocturne.io.Safetensors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// Output folders that cannot take the results: full, read-only, or in use by another process.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SickOutputFolderTest {
    private Path scratch = Path.of("");
    private Path bundle = Path.of("");

    @BeforeAll
    void writeBundle(@TempDir Path shared) {
        scratch = shared;
        bundle = ShortRun.bundleIn(scratch.resolve("bundle"));
    }

    /// Full twice, at different files, and then given room.
    @Test
    void whenTheDiskIsFullWhatIsThereStaysAndWithRoomTheSameCommandEndsInTheSameBytes() throws IOException {
        Path home = scratch.resolve("full/home");
        try (SmallDisk disk = SmallDisk.mounted(scratch.resolve("full/disk"), "size=600k")) {
            Path out = disk.root().resolve("run");
            requireDiskFull(ShortRun.start(bundle, home, out));
            requireWhole(out);
            assertThat(out.resolve("tiny.safetensors")).doesNotExist();

            disk.remount("size=3m");
            requireDiskFull(ShortRun.start(bundle, home, out));
            requireWhole(out);
            SortedMap<String, String> kept = ShortRun.results(out);
            assertThat(kept).containsKey("tiny_000000010.safetensors").doesNotContainKey("tiny.safetensors");

            disk.remount("size=64m");
            ShortRun.Child child = ShortRun.start(bundle, home, out);
            assertThat(child.exitCode()).as(child.words()).isZero();
            assertThat(ShortRun.results(out)).containsAllEntriesOf(kept);
            assertThat(ShortRun.results(out)).isEqualTo(ShortRun.uninterrupted(bundle, scratch));
        }
    }

    @Test
    void whenTheDiskIsFullFromTheStartNothingIsBegun() throws IOException {
        try (SmallDisk disk = SmallDisk.mounted(scratch.resolve("crammed"), "size=64k")) {
            Files.write(disk.root().resolve("ballast"), new byte[64 << 10]);
            ShortRun.Child child = ShortRun.start(bundle, scratch.resolve("home"), disk.root().resolve("run"));
            requireDiskFull(child);
        }
    }

    @Test
    void whereNothingMayBeWrittenThatIsSaid() throws IOException {
        try (SmallDisk disk = SmallDisk.mounted(scratch.resolve("read-only"), "ro")) {
            ShortRun.Child child = ShortRun.start(bundle, scratch.resolve("home"), disk.root().resolve("run"));
            assertThat(child.exitCode()).as(child.words()).isEqualTo(64);
            assertThat(child.words()).contains(disk.root().toString(), "cannot be written", "Read-only file system");
            requireWithoutTrace(child);
        }
    }

    @Test
    void ofTwoProcessesOnOneFolderTheSecondIsRefusedAndTheFirstIsNotDisturbed() {
        Path home = scratch.resolve("both/home");
        Path out = scratch.resolve("both/run");
        ShortRun.Child first = ShortRun.start(bundle, home, out);
        first.runUntil(() -> !ShortRun.events(out, "nocturne.job.stepped.v1").isEmpty());
        first.hold(true);
        ShortRun.Child second = ShortRun.start(bundle, home, out);
        assertThat(second.exitCode()).as(second.words()).isEqualTo(73);
        first.hold(false);
        assertThat(second.words()).contains(out.toString(), "another Nocturne", "--out");
        requireWithoutTrace(second);
        assertThat(first.exitCode()).as(first.words()).isZero();
        assertThat(ShortRun.results(out)).isEqualTo(ShortRun.uninterrupted(bundle, scratch));
    }

    private static void requireDiskFull(ShortRun.Child child) {
        assertThat(child.exitCode()).as(child.words()).isEqualTo(74);
        assertThat(child.words().toLowerCase(Locale.ROOT)).containsAnyOf("disk is full", "disk full");
        requireWithoutTrace(child);
    }

    private static void requireWithoutTrace(ShortRun.Child child) {
        assertThat(child.words()).doesNotContain("Exception", "\tat ", "at nocturne.", "bug");
    }

    private static void requireWhole(Path out) {
        for (Path file : ShortRun.files(out)) {
            if (file.toString().endsWith(".safetensors")) Safetensors.open(file).close();
        }
        assertThat(out.resolve("job.json")).isNotEmptyFile();
    }
}
