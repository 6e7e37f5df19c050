package nocturne.bundle;

import static nocturne.bundle.HostileZipTest.noise;
import static nocturne.bundle.HostileZipTest.zip;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import nocturne.bundle.HostileZipTest.Entry;
import nocturne.problem.UserMistake;
import nocturne.promise.Promise;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Whether an upload has ended can be told without unpacking it.
class ZipCompletenessTest {
    @TempDir
    Path folder;

    @Test
    @Promise(row = 17, fault = "a zip cut off after each of its bytes")
    void aZipIsCompleteAtItsLastByteAndNotBefore() throws IOException {
        byte[] zip = zip(new Entry("a.png", noise(100)), new Entry("b.txt", "caption"));
        for (int length = 0; length < zip.length; length++) {
            assertThat(isComplete(Arrays.copyOf(zip, length))).as("%d of %d bytes", length, zip.length).isFalse();
        }
        assertThat(isComplete(zip)).isTrue();
    }

    @Test
    @Promise(row = 17, fault = "a copy that reserves the room first and fills it from the beginning")
    void reservedRoomThatIsNotFilledIsNotComplete() throws IOException {
        byte[] zip = zip(new Entry("a.png", noise(100)));
        int endRecord = zip.length - 22;
        for (int length = 0; length <= endRecord; length++) {
            byte[] reserved = Arrays.copyOf(Arrays.copyOf(zip, length), zip.length);
            assertThat(isComplete(reserved)).as("%d of %d bytes", length, zip.length).isFalse();
        }
    }

    @Test
    void aCommentThatIsNotAllThereIsNotComplete() throws IOException {
        RawZip zip = new RawZip();
        zip.stored("a.png", "x");
        zip.comment = noise(300);
        byte[] bytes = zip.bytes();
        assertThat(isComplete(bytes)).isTrue();
        assertThat(isComplete(Arrays.copyOf(bytes, bytes.length - 1))).isFalse();
    }

    /// To be refused at once, not after an hour of waiting.
    @Test
    void whatWillNeverBeAZipIsNothingToWaitFor() throws IOException {
        assertThat(isComplete("<html>".getBytes(StandardCharsets.UTF_8))).isTrue();
        assertThat(isComplete("P".repeat(3).getBytes(StandardCharsets.UTF_8))).isTrue();
        RawZip twoEnds = new RawZip();
        twoEnds.comment = RawZip.end(0, 0, 0, 0, new byte[0]);
        twoEnds.stored("a.png", "x");
        assertThat(isComplete(twoEnds.bytes())).isTrue();
    }

    @Test
    void takingOneThatIsNotCompleteSaysSoWithACodeOfItsOwn() throws IOException {
        byte[] zip = zip(new Entry("a.png", noise(100)));
        for (int length : new int[] {0, 2, 4, 100, zip.length - 1}) {
            Path file = Files.write(folder.resolve("drop.zip"), Arrays.copyOf(zip, length));
            assertThatThrownBy(() -> Bundle.take(file, "drop", folder.resolve("work"), BundleLimits.STANDARD))
                    .isInstanceOfSatisfying(UserMistake.class, mistake ->
                            assertThat(mistake.problems().getFirst().code()).isEqualTo(Bundle.INCOMPLETE));
        }
    }

    private boolean isComplete(byte[] bytes) throws IOException {
        try (FileChannel upload = FileChannel.open(Files.write(folder.resolve("upload.zip"), bytes))) {
            return Bundle.isComplete(upload);
        }
    }
}
