package nocturne.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import nocturne.io.CrashFileSystem.Failure;
import nocturne.io.CrashFileSystem.PowerOff;
import nocturne.io.DiskHistory.Crash;
import nocturne.problem.SickMachine;
import nocturne.promise.Promise;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A file that is replaced is the old one or the new one, and once the call has returned it is the new one, whatever
/// the disk does.
class AtomicFilesCrashTest {
    private static final String OLD = "old ".repeat(5000);
    private static final String NEW = "new ".repeat(40_000);

    @TempDir
    private Path scratch = Path.of("");

    @Test
    @Promise(row = 2, fault = "power cut at every moment of two writes; unforced bytes lost, torn, zeroed; names lost")
    void afterEveryCrashTheFileIsWholeAndWhatWasPromisedIsThere() throws IOException {
        CrashFileSystem disk = disk("cut");
        Path file = disk.root().resolve("made/along/state");
        AtomicFiles.writeString(file, OLD);
        disk.promise("old");
        AtomicFiles.writeString(file, NEW);
        disk.promise("new");
        int seen = 0;
        for (Crash crash : disk.crashes()) {
            Path left = crash.rebuiltIn(scratch.resolve("left")).resolve("made/along/state");
            String text = Files.exists(left) ? Files.readString(left) : "none";
            assertThat(text).as(crash.toString()).isIn(
                    crash.promised("new") ? List.of(NEW)
                            : crash.promised("old") ? List.of(OLD, NEW) : List.of("none", OLD));
            seen++;
        }
        assertThat(seen).as("different crashes").isGreaterThan(10);
    }

    @Test
    @Promise(row = 2, fault = "the process gone at every change to the disk, and started again")
    void afterEveryStopTheNextWriteWorksAndSweepsUp() throws IOException {
        for (int change = 1; ; change++) {
            CrashFileSystem disk = disk("stop-" + change);
            Files.writeString(disk.realRoot().resolve("state"), OLD);
            disk = CrashFileSystem.over(disk.realRoot()).stopAt(change);
            Path file = disk.root().resolve("state");
            try {
                AtomicFiles.writeString(file, NEW);
                assertThat(change).isGreaterThan(5);
                return;
            } catch (PowerOff off) {
                assertThat(Files.readString(disk.realRoot().resolve("state"))).isIn(OLD, NEW);
            }
            AtomicFiles.removeLeftovers(disk.realRoot());
            assertThat(disk.realRoot()).isDirectoryContaining("glob:**/state");
            assertThat(disk.realRoot().toFile().list()).hasSize(1);
        }
    }

    @ParameterizedTest
    @EnumSource(Failure.class)
    @Promise(row = 2, fault = "every change fails in turn: disk full, I/O error, stale handle, answer lost")
    void aFailureIsToldAndTheOldFileStays(Failure failure) throws IOException {
        for (int change = 1; ; change++) {
            CrashFileSystem disk = disk(failure.name() + change);
            Files.writeString(disk.realRoot().resolve("state"), OLD);
            disk = CrashFileSystem.over(disk.realRoot()).failAt(change, failure);
            Path file = disk.root().resolve("state");
            int all = AtomicFilesCrashTest.changes(scratch);
            if (change > all) return;
            String code = failure == Failure.NO_SPACE ? "DISK_FULL" : "WRITE_FAILED";
            assertThatThrownBy(() -> AtomicFiles.writeString(file, NEW)).as("change %d of %d", change, all)
                    .isInstanceOfSatisfying(SickMachine.class, sick -> assertThat(sick.code()).isEqualTo(code));
            assertThat(Files.readString(disk.realRoot().resolve("state"))).isIn(OLD, NEW);
            AtomicFiles.writeString(file, NEW);
            assertThat(disk.realRoot().resolve("state")).hasContent(NEW);
        }
    }

    /// How many changes a write makes.
    private static int changes(Path scratch) throws IOException {
        Path folder = Files.createTempDirectory(scratch, "count");
        Files.writeString(folder.resolve("state"), OLD);
        CrashFileSystem disk = CrashFileSystem.over(folder);
        AtomicFiles.writeString(disk.root().resolve("state"), NEW);
        return disk.changes();
    }

    private CrashFileSystem disk(String name) throws IOException {
        return CrashFileSystem.over(Files.createDirectories(scratch.resolve(name)));
    }
}
