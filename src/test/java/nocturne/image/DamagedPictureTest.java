package nocturne.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import nocturne.problem.UserMistake;
import nocturne.promise.Promise;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// Whatever happens to the bytes of a picture, the answer is a picture or a sentence for its owner.
class DamagedPictureTest {
    private final PictureReader reader = PictureReader.standard();

    @TestFactory
    @Promise(row = 7, fault = "PNG, JPEG and WebP cut off at 150 places")
    Stream<DynamicTest> aPictureCutOffAnywhereIsRefused() throws IOException {
        return samples().map(sample -> DynamicTest.dynamicTest(sample.name, () -> {
            for (int length = 0; length < sample.bytes.length; length += 1 + sample.bytes.length / 150) {
                byte[] cut = Arrays.copyOf(sample.bytes, length);
                assertThatThrownBy(() -> reader.decode(cut, "cut", Background.WHITE))
                        .as("%d of %d bytes", length, sample.bytes.length)
                        .isInstanceOf(UserMistake.class).hasMessageStartingWith("cut: ");
            }
        }));
    }

    @TestFactory
    @Promise(row = 7, fault = "2,100 pictures with changed bytes")
    Stream<DynamicTest> changedBytesGiveAPictureOfThatSizeOrAMistake() throws IOException {
        return samples().map(sample -> DynamicTest.dynamicTest(sample.name, () -> {
            SplittableRandom random = new SplittableRandom(7);
            int refused = 0;
            for (int round = 0; round < 300; round++) {
                byte[] changed = sample.bytes.clone();
                for (int i = 0; i <= random.nextInt(4); i++) {
                    changed[random.nextInt(changed.length)] = (byte) random.nextInt(256);
                }
                try {
                    Picture picture = reader.decode(changed, "changed", Background.WHITE);
                    assertThat(picture.rgb()).hasSize(3 * picture.width() * picture.height());
                } catch (UserMistake mistake) {
                    refused++;
                }
            }
            assertThat(refused).as("changed files that were noticed").isPositive();
        }));
    }

    /// The structure is whole and every checksum is right, but half of the pixels are not there.
    @Test
    void aJpegWhoseDataStopsBeforeItsEndMarkerIsRefused() {
        byte[] jpeg = PictureFiles.jpeg(400, 240);
        byte[] cut = Arrays.copyOf(jpeg, jpeg.length * 2 / 3);
        cut[cut.length - 2] = (byte) 0xff;
        cut[cut.length - 1] = (byte) 0xd9;
        assertThatThrownBy(() -> reader.decode(cut, "cut", Background.WHITE)).isInstanceOf(UserMistake.class);
    }

    @Test
    void aPngWithoutEnoughDataIsRefused() {
        assertThatThrownBy(() -> reader.decode(PictureFiles.pngClaiming(64, 64), "thin", Background.WHITE))
                .isInstanceOf(UserMistake.class).hasMessageContaining("damaged or incomplete");
    }

    private record Sample(String name, byte[] bytes) {}

    private static Stream<Sample> samples() throws IOException {
        Path folder = Path.of("src/test/resources/pictures");
        return Stream.of(
                new Sample("PNG", PictureFiles.png(40, 24)),
                new Sample("PNG with alpha", PictureFiles.encode(
                        PictureFiles.quarters(40, 24, BufferedImage.TYPE_INT_ARGB), "png")),
                new Sample("JPEG", PictureFiles.jpeg(40, 24)),
                new Sample("progressive JPEG", PictureFiles.progressiveJpeg(40, 24)),
                new Sample("lossy WebP", Files.readAllBytes(folder.resolve("reference_simple.webp"))),
                new Sample("lossy WebP with alpha", Files.readAllBytes(folder.resolve("reference_normal.webp"))),
                new Sample("lossless WebP", Files.readAllBytes(folder.resolve("lossless.webp"))));
    }
}
