package nocturne.service.inbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import nocturne.promise.Promise;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// When a dropped file is whole. The clock is turned by hand: settle is 10 s, a dead upload is given up after an hour.
final class WholeFilesTest {
    private static final byte[] ZIP = Zips.with("a picture");

    @TempDir
    private Path inbox = Path.of("");

    private long nanos;

    private WholeFiles files;

    @BeforeEach
    void look() {
        files = files(false);
    }

    /// Pauses shorter and longer than settle, at every place of the file but its end.
    @Test
    @Promise(row = 17, fault = "a writer of one byte at a time, with pauses shorter and longer than settle")
    void aSlowWriterIsNeverTakenBeforeItsEnd() throws IOException {
        for (int written = 0; written < ZIP.length; written++) {
            Files.write(inbox.resolve("x.zip"), Arrays.copyOf(ZIP, written));
            for (int seconds : new int[] {0, 3, 9, 25}) {
                pass(seconds);
                assertThat(files.isWhole("x.zip")).as("after %d of %d bytes", written, ZIP.length).isFalse();
            }
        }
        Files.write(inbox.resolve("x.zip"), ZIP);
        assertThat(files.isWhole("x.zip")).isFalse();
        pass(9);
        assertThat(files.isWhole("x.zip")).isFalse();
        pass(2);
        assertThat(files.isWhole("x.zip")).isTrue();
    }

    /// A zip within a zip has an end record in the middle of the file, and then the writer pauses.
    @Test
    void theEndOfAZipInsideAZipIsNotItsEnd() throws IOException {
        byte[] inner = Zips.with("inner");
        byte[] both = Arrays.copyOf(inner, inner.length + 100);
        Arrays.fill(both, inner.length, both.length, (byte) 'x');
        Files.write(inbox.resolve("x.zip"), both);
        assertThat(files.isWhole("x.zip")).isFalse();
        pass(100);
        assertThat(files.isWhole("x.zip")).isFalse();
    }

    /// Some programs copy in parallel pieces, and the last piece may be there first.
    @Test
    @Promise(row = 17, fault = "a copy whose last bytes are there before its first")
    void anEndWithoutABeginningIsWaitedFor() throws IOException {
        byte[] filled = ZIP.clone();
        Arrays.fill(filled, 0, ZIP.length / 2, (byte) 0);
        Files.write(inbox.resolve("x.zip"), filled);
        assertThat(files.isWhole("x.zip")).isFalse();
        pass(100);
        assertThat(files.isWhole("x.zip")).isFalse();
        Path whole = Files.write(inbox.resolve("x.zip"), ZIP);
        // As long as before, and maybe in the same millisecond.
        Files.setLastModifiedTime(whole, FileTime.from(Instant.now().plusSeconds(1)));
        assertThat(files.isWhole("x.zip")).isFalse();
        pass(11);
        assertThat(files.isWhole("x.zip")).isTrue();
    }

    @Test
    @Promise(row = 17, fault = "a copy that stops for good")
    void aDeadUploadIsTakenToBeRefusedAfterTheTimeout() throws IOException {
        Files.write(inbox.resolve("x.zip"), Arrays.copyOf(ZIP, ZIP.length - 5));
        assertThat(files.isWhole("x.zip")).isFalse();
        pass(3_590);
        assertThat(files.isWhole("x.zip")).isFalse();
        pass(20);
        assertThat(files.isWhole("x.zip")).isTrue();
        assertThat(WholeFiles.isUnfinished(DroppedFile.at(inbox.resolve("x.zip")).orElseThrow())).isTrue();
    }

    @Test
    void whatBeginsAsNoZipIsNotWaitedForLongerThanSettle() throws IOException {
        Files.writeString(inbox.resolve("x.zip"), "no zip at all");
        assertThat(files.isWhole("x.zip")).isFalse();
        pass(11);
        assertThat(files.isWhole("x.zip")).isTrue();
    }

    @Test
    @Promise(row = 17, fault = "another file renamed into place while the first one settles")
    void anotherFileUnderTheSameNameBeginsAnew() throws IOException {
        Files.write(inbox.resolve("x.zip"), ZIP);
        FileTime time = Files.getLastModifiedTime(inbox.resolve("x.zip"));
        assertThat(files.isWhole("x.zip")).isFalse();
        pass(9);
        Path upload = Files.write(inbox.resolve(".x.zip.part"), ZIP);
        Files.setLastModifiedTime(upload, time);
        Files.move(upload, inbox.resolve("x.zip"), StandardCopyOption.REPLACE_EXISTING);
        assertThat(files.isWhole("x.zip")).isFalse();
        pass(9);
        assertThat(files.isWhole("x.zip")).isFalse();
        pass(2);
        assertThat(files.isWhole("x.zip")).isTrue();
    }

    @ParameterizedTest
    @ValueSource(longs = {-86_400, 0, 86_400, 315_360_000})
    @Promise(row = 39, fault = "files that are a day or ten years older or younger than now")
    void whatAFileSaysOfItsTimeDoesNotMatter(long secondsFromNow) throws IOException {
        Path file = Files.write(inbox.resolve("x.zip"), ZIP);
        Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(secondsFromNow)));
        assertThat(files.isWhole("x.zip")).isFalse();
        pass(9);
        assertThat(files.isWhole("x.zip")).isFalse();
        pass(2);
        assertThat(files.isWhole("x.zip")).isTrue();
    }

    @Test
    @Promise(row = 17, fault = "no x.zip.done beside a zip of a careful sender")
    void inDoneModeOnlyTheMarkerCounts() throws IOException {
        files = files(true);
        Files.write(inbox.resolve("x.zip"), ZIP);
        assertThat(files.isWhole("x.zip")).isFalse();
        pass(100_000);
        assertThat(files.isWhole("x.zip")).isFalse();
        Files.createFile(inbox.resolve("x.zip.done"));
        assertThat(files.isWhole("x.zip")).isTrue();
        assertThat(files.isWhole("x.zip.done")).as("the marker itself is no bundle").isFalse();
    }

    @Test
    void aFolderIsWholeWhenItsMarkerLiesBesideIt() throws IOException {
        Files.createFile(inbox.resolve("maya.done"));
        assertThat(files.isWhole("maya.done")).isFalse();
        Files.createDirectory(inbox.resolve("maya"));
        assertThat(files.isWhole("maya.done")).isTrue();
    }

    /// On many shares all of these are the one folder where we keep what could not be used.
    @ParameterizedTest
    @ValueSource(strings = {"rejected", "Rejected", "REJECTED"})
    void aMarkerDoesNotMakeOurOwnFolderABundle(String name) throws IOException {
        Files.createDirectory(inbox.resolve(name));
        for (String done : List.of(".done", ".DONE")) {
            Files.createFile(inbox.resolve(name + done));
            assertThat(files.isWhole(name + done)).as(name + done).isFalse();
        }
    }

    @Test
    void aRequestIsWholeWhenItsBracesAreClosed() throws IOException {
        String json = "{\"version\": 1, \"bundle\": {\"uri\": \"https://x.example/}}.zip\"}}";
        for (int written = 0; written < json.length(); written++) {
            Files.writeString(inbox.resolve("x.job.json"), json.substring(0, written));
            assertThat(files.isWhole("x.job.json")).as(json.substring(0, written)).isFalse();
        }
        Files.writeString(inbox.resolve("x.job.json"), json);
        assertThat(files.isWhole("x.job.json")).isTrue();

        Files.writeString(inbox.resolve("broken.job.json"), "{\"version\": 1,");
        assertThat(files.isWhole("broken.job.json")).isFalse();
        pass(11);
        assertThat(files.isWhole("broken.job.json")).as("taken, to be refused").isTrue();
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    @Timeout(value = 30, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    @Promise(row = 35, fault = "a link, a folder, a pipe and a second name where a zip should be")
    void whatIsNoPlainFileIsNeverTakenAndNeverWaitedFor() throws Exception {
        Path secret = Files.write(inbox.resolve("secret"), ZIP);
        Files.createSymbolicLink(inbox.resolve("link.zip"), secret);
        Files.createSymbolicLink(inbox.resolve("nowhere.zip"), inbox.resolve("nothing"));
        Files.createLink(inbox.resolve("second.zip"), secret);
        Files.createDirectory(inbox.resolve("folder.zip"));
        Files.createSymbolicLink(inbox.resolve("zero.zip"), Path.of("/dev/zero"));
        pipe(inbox.resolve("pipe.zip"));
        for (int round = 0; round < 3; round++, pass(10_000)) {
            for (String name : List.of("link.zip", "nowhere.zip", "second.zip", "folder.zip", "zero.zip", "pipe.zip")) {
                assertThat(files.isWhole(name)).as(name).isFalse();
            }
        }
    }

    /// A file that passes every look is swapped, all the time, for a link to a secret and for a pipe that nobody
    /// writes to. Whatever is opened is the file itself or nothing, and nothing waits.
    @Test
    @DisabledOnOs(OS.WINDOWS)
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    @Promise(row = 35, fault = "a file swapped for a link and for a pipe in a tight loop")
    void whatIsOpenedIsWhatWasLookedAtOrNothing() throws Exception {
        Path secret = Files.writeString(inbox.resolve("secret"), "the secret, which is as long as it likes");
        Path name = inbox.resolve("x.zip");
        Path plain = inbox.resolve(".plain");
        Path link = inbox.resolve(".link");
        Path pipe = inbox.resolve(".pipe");
        AtomicBoolean ended = new AtomicBoolean();
        Thread swapper = Thread.ofPlatform().daemon().start(() -> {
            try {
                pipe(pipe);
                for (int i = 0; !ended.get(); i++) {
                    Files.write(plain, ZIP);
                    rename(plain, name);
                    Files.createSymbolicLink(link, secret);
                    rename(link, name);
                    if (i % 3 == 0) {
                        rename(pipe, name);
                        pipe(pipe);
                    }
                }
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        int opened = 0;
        int refused = 0;
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
        while (System.nanoTime() < end || opened == 0) {
            var looked = DroppedFile.at(name);
            if (looked.isEmpty()) continue;
            try (var channel = DroppedFile.open(looked.get())) {
                if (channel == null) {
                    refused++;
                    continue;
                }
                assertThat(channel.size()).as("of what was opened").isEqualTo(ZIP.length);
                opened++;
            } catch (IOException linkOrGone) {
                refused++;
            }
        }
        ended.set(true);
        swapper.join();
        assertThat(refused).as("times that something else was there").isPositive();
    }

    private WholeFiles files(boolean onlyDone) {
        return new WholeFiles(inbox, Duration.ofSeconds(10), Duration.ofHours(1), onlyDone, () -> nanos);
    }

    private void pass(long seconds) {
        nanos += TimeUnit.SECONDS.toNanos(seconds);
    }

    private static void rename(Path from, Path to) throws IOException {
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    }

    private static void pipe(Path path) throws Exception {
        assertThat(new ProcessBuilder("mkfifo", path.toString()).start().waitFor()).isZero();
    }
}
