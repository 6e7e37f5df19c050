package nocturne.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFilesTest {
    @TempDir
    Path folder;

    @Test
    void theFileIsReplacedAndNothingElseIsLeft() {
        Path file = folder.resolve("new/deep/state.json");
        AtomicFiles.writeString(file, "one");
        AtomicFiles.writeString(file, "zwölf");
        assertThat(file).hasContent("zwölf");
        assertThat(file.getParent()).isDirectoryContaining(path -> path.equals(file));
        assertThat(file.getParent().toFile().list()).hasSize(1);
    }

    @Test
    void aWriteThatFailsKeepsTheOldFileAndLeavesNothing() {
        Path file = folder.resolve("state.json");
        AtomicFiles.writeString(file, "old");
        IllegalStateException bug = new IllegalStateException("our bug");
        assertThatThrownBy(() -> AtomicFiles.write(file, out -> {
            out.write(new byte[100_000]);
            throw bug;
        })).isSameAs(bug);
        assertThatThrownBy(() -> AtomicFiles.write(file, 0, out -> out.write(1), written -> {
            throw bug;
        })).isSameAs(bug);
        assertThat(file).hasContent("old");
        assertThat(folder.toFile().list()).containsExactly("state.json");
    }

    @Test
    void aLinkIsWholeAndReplacesWhatWasThere() throws IOException {
        Path source = Files.writeString(folder.resolve("source"), "new");
        Path target = Files.writeString(Files.createDirectory(folder.resolve("out")).resolve("target"), "old");
        AtomicFiles.linkOrCopy(source, target);
        AtomicFiles.linkOrCopy(source, target);
        assertThat(target).hasContent("new");
        assertThat(target.getParent().toFile().list()).containsExactly("target");
    }

    /// A killed process may leave a second name of a file that is needed, and in a container every process has the
    /// same number.
    @Test
    void aLeftoverIsNeverWrittenThrough() throws IOException {
        Path precious = Files.writeString(folder.resolve("checkpoint"), "precious");
        String[] name = new String[1];
        AtomicFiles.write(folder.resolve("a"), 0, out -> {}, written -> name[0] = written.getFileName().toString());
        int number = Integer.parseInt(name[0].replaceFirst(".*-(\\d+)\\.part", "$1"));
        for (int next = number + 1; next < number + 50; next++) {
            Files.createLink(folder.resolve(name[0].replace("-" + number + ".", "-" + next + ".")), precious);
        }
        AtomicFiles.writeString(folder.resolve("b"), "b");
        AtomicFiles.linkOrCopy(folder.resolve("b"), folder.resolve("c"));
        assertThat(folder.resolve("c")).hasContent("b");
        assertThat(precious).hasContent("precious");
    }

    @Test
    void theReaderSeesTheOldFileUntilTheNewOneIsWhole() {
        Path file = folder.resolve("state.json");
        AtomicFiles.writeString(file, "old");
        AtomicFiles.write(file, 0, out -> {
            out.write('n');
            assertThat(file).hasContent("old");
        }, written -> {
            assertThat(written).hasContent("n");
            assertThat(file).hasContent("old");
            assertThat(AtomicFiles.isLeftover(written)).isTrue();
        });
        assertThat(file).hasContent("n");
    }

    /// `/dev/full` answers every write as a full disk does, in the words of the system this runs on.
    @Test
    void aFullDiskIsASickMachineThatSaysWhatWasWrittenAndHowMuchIsFree() {
        assumeTrue(Files.exists(Path.of("/dev/full")), "this system has no /dev/full");
        Path file = folder.resolve("adapter.safetensors");
        assertThatThrownBy(() -> AtomicFiles.write(file, 12345, out -> {
            try (OutputStream full = new FileOutputStream("/dev/full")) {
                full.write(1);
            }
        })).isInstanceOfSatisfying(SickMachine.class, sick -> assertThat(sick.code()).isEqualTo("DISK_FULL"))
                .hasMessageContaining("adapter.safetensors: the disk is full; 12345 bytes are needed, ")
                .hasMessageContaining(" free.")
                .hasCauseInstanceOf(IOException.class);
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void aFolderThatIsAFileIsAMistake() {
        AtomicFiles.writeString(folder.resolve("file"), "");
        assertThatThrownBy(() -> AtomicFiles.writeString(folder.resolve("file/state.json"), ""))
                .isInstanceOf(UserMistake.class).hasMessageContaining("cannot be written");
    }

    @Test
    void whatKilledWritersLeftIsSweptAndNothingElse() throws IOException {
        Files.writeString(folder.resolve(".nocturne-123-4.part"), "half");
        Files.writeString(folder.resolve("picture.part"), "the user's");
        AtomicFiles.removeLeftovers(folder);
        assertThat(folder.toFile().list()).containsExactly("picture.part");
    }
}
