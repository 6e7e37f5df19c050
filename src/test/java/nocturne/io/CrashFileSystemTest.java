package nocturne.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import nocturne.io.CrashFileSystem.Failure;
import nocturne.io.DiskHistory.Crash;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The disk that fails must find out those who forget something: each test forgets one thing, and is found out.
class CrashFileSystemTest {
    @TempDir
    private Path scratch = Path.of("");
    private CrashFileSystem disk = CrashFileSystem.over(Path.of("."));

    @BeforeEach
    void beginWithOneFile() throws IOException {
        Path folder = Files.createDirectories(scratch.resolve("disk"));
        Files.writeString(folder.resolve("state"), "old");
        disk = CrashFileSystem.over(folder);
    }

    @Test
    void bytesThatWereNotForcedMayBeLostTornOrZeroed() throws IOException {
        try (FileChannel file = open("state")) {
            file.write(ByteBuffer.wrap("new and longer".getBytes(StandardCharsets.US_ASCII)), 0);
            assertThat(contents(crash -> true)).containsExactlyInAnyOrder("old", "new and", "new and longer",
                    "\0".repeat(14));
            file.force(false);
            disk.promise("new");
        }
        assertThat(contents(crash -> crash.promised("new"))).containsExactly("new and longer");
    }

    @Test
    void aNameIsSafeOnceItsFolderWasForcedAndNotSooner() throws IOException {
        Path temporary = Files.writeString(disk.root().resolve("temporary"), "new");
        Files.move(temporary, disk.root().resolve("state"), StandardCopyOption.ATOMIC_MOVE);
        disk.promise("renamed");
        // The bytes were not forced: the new name may stand for an empty file.
        assertThat(contents(crash -> crash.promised("renamed"))).contains("old", "new", "");
        force("state");
        disk.promise("forced");
        assertThat(contents(crash -> crash.promised("forced"))).containsExactly("new", "old");
        try (FileChannel folder = FileChannel.open(disk.root(), StandardOpenOption.READ)) {
            folder.force(true);
        }
        disk.promise("safe");
        assertThat(contents(crash -> crash.promised("safe"))).containsExactly("new");
    }

    @Test
    void aFolderWhoseParentWasNotForcedTakesItsFilesWithIt() throws IOException {
        Path folder = Files.createDirectory(disk.root().resolve("folder"));
        Files.writeString(folder.resolve("file"), "text");
        force("folder/file");
        AtomicFiles.forceFolder(folder);
        assertThat(disk.crashes()).anySatisfy(crash -> assertThat(crash.content()).doesNotContainKey("folder"));
        AtomicFiles.forceFolder(disk.root());
        disk.promise("safe");
        assertThat(disk.crashes()).filteredOn(crash -> crash.promised("safe"))
                .allSatisfy(crash -> assertThat(crash.content()).containsKey("folder/file"));
    }

    @Test
    void withoutPowerNothingChangesAnyMore() throws IOException {
        disk.stopAt(2);
        Files.createFile(disk.root().resolve("one"));
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> Files.delete(disk.root().resolve("one")))
                    .isInstanceOf(CrashFileSystem.PowerOff.class);
        }
        assertThat(disk.realRoot()).isDirectoryContaining("glob:**/one");
    }

    @Test
    void aChangeFailsAsDisksDoAndTheNextOneWorks() throws IOException {
        for (Failure failure : Failure.values()) {
            Path folder = Files.createDirectories(scratch.resolve(failure.name()));
            CrashFileSystem failing = CrashFileSystem.over(folder).failAt(2, failure);
            Path file = failing.root().resolve("file");
            assertThatThrownBy(() -> Files.writeString(file, "text")).isInstanceOf(FileSystemException.class);
            assertThat(folder.resolve("file")).hasContent(switch (failure) {
                case NO_SPACE -> "te";
                case INPUT_OUTPUT, STALE -> "";
                case ANSWER_LOST -> "text";
            });
            Files.writeString(file, "again");
            assertThat(folder.resolve("file")).hasContent("again");
        }
    }

    private Set<String> contents(Predicate<Crash> which) {
        Set<String> contents = new TreeSet<>();
        for (Crash crash : disk.crashes()) {
            byte[] bytes = crash.content().get("state");
            if (which.test(crash) && bytes != null) contents.add(new String(bytes, StandardCharsets.US_ASCII));
        }
        return contents;
    }

    private FileChannel open(String name) throws IOException {
        return FileChannel.open(disk.root().resolve(name), StandardOpenOption.WRITE);
    }

    private void force(String name) throws IOException {
        try (FileChannel file = open(name)) {
            file.force(true);
        }
    }
}
