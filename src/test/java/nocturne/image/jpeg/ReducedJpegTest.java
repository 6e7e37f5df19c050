package nocturne.image.jpeg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import nocturne.image.Background;
import nocturne.image.Picture;
import nocturne.image.PictureFiles;
import nocturne.image.PictureReader;
import nocturne.image.Scenes;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// The full decoder of the JDK is the reference throughout.
class ReducedJpegTest {
    /// Two transforms that round on their own may differ by one in a sample, and by two where luma and chroma meet.
    private static final int ROUNDING = 3;

    private final PictureReader reader = PictureReader.standard();

    /// Without shared chroma there is nothing to interpolate, so the whole size is the same picture.
    @Property(tries = 60)
    void theWholeSizeIsTheFullDecodersPicture(@ForAll @IntRange(min = 1, max = 70) int width,
            @ForAll @IntRange(min = 1, max = 70) int height, @ForAll boolean progressive,
            @ForAll @IntRange(max = 5) int restart, @ForAll @IntRange(min = 3, max = 10) int quality,
            @ForAll boolean grey, @ForAll long seed) throws DoubtfulJpeg {
        BufferedImage scene = Scenes.scene(width, height, seed);
        byte[] jpeg = Scenes.jpeg(grey ? Scenes.grey(scene) : scene,
                new Scenes.Jpeg(quality / 10.0, 1, progressive ? 0 : restart, progressive));
        Picture ours = ReducedJpeg.decode(jpeg, 8);
        Picture full = reader.decode(jpeg, "full", Background.WHITE);
        assertThat(largestDifference(ours, full)).isLessThanOrEqualTo(ROUNDING);
    }

    /// An eighth of the size is the mean of 8 x 8 pixels, which the lowest frequency is by definition.
    @Property(tries = 60)
    void anEighthIsTheMeanOfEachBlock(@ForAll @IntRange(min = 1, max = 200) int width,
            @ForAll @IntRange(min = 1, max = 200) int height, @ForAll boolean progressive,
            @ForAll @IntRange(max = 5) int restart, @ForAll long seed) throws DoubtfulJpeg {
        byte[] jpeg = Scenes.jpeg(Scenes.grey(Scenes.scene(width, height, seed)),
                new Scenes.Jpeg(0.9, 1, progressive ? 0 : restart, progressive));
        Picture ours = ReducedJpeg.decode(jpeg, 1);
        Picture full = reader.decode(jpeg, "full", Background.WHITE);
        assertThat(ours.width()).isEqualTo((width + 7) / 8);
        assertThat(ours.height()).isEqualTo((height + 7) / 8);
        for (int y = 0; y < height / 8; y++) {
            for (int x = 0; x < width / 8; x++) {
                int sum = 0;
                for (int i = 0; i < 64; i++) sum += full.at(8 * x + i % 8, 8 * y + i / 8, 0);
                assertThat(ours.at(x, y, 0)).isBetween(sum / 64 - 1, sum / 64 + 2);
            }
        }
    }

    /// Of every kind of file, at every size: brought to the size of an eighth, all are the same picture.
    @TestFactory
    Stream<DynamicTest> allSizesOfAllKindsShowTheSamePicture() {
        return Stream.of(
                new Scenes.Jpeg(0.9, 1, 0, false), new Scenes.Jpeg(0.9, 2, 0, false), new Scenes.Jpeg(0.9, 2, 7, false),
                new Scenes.Jpeg(0.9, 1, 0, true), new Scenes.Jpeg(0.9, 2, 0, true), new Scenes.Jpeg(1, 2, 3, false),
                new Scenes.Jpeg(0.1, 2, 0, true), new Scenes.Jpeg(0.1, 1, 1, false)
        ).map(how -> DynamicTest.dynamicTest(how.toString(), () -> {
            byte[] jpeg = Scenes.jpeg(Scenes.scene(256, 160, 5), how);
            Picture full = means(reader.decode(jpeg, "full", Background.WHITE), 8);
            for (int side : new int[] {1, 2, 4, 8}) {
                Picture small = ReducedJpeg.decode(jpeg, side);
                assertThat(small.width()).isEqualTo(32 * side);
                assertThat(meanDifference(means(small, side), full)).as("side %d", side).isLessThan(2.5);
            }
        }));
    }

    @Test
    void fourInksBecomeThreeColours() throws IOException, DoubtfulJpeg {
        Picture picture = ReducedJpeg.decode(PictureFiles.cmykJpeg(32, 255, 0, 0, 0), 8);
        assertThat(new int[] {picture.at(9, 9, 0), picture.at(9, 9, 1), picture.at(9, 9, 2)})
                .satisfies(rgb -> assertThat(rgb[0]).isLessThan(10))
                .satisfies(rgb -> assertThat(Math.min(rgb[1], rgb[2])).isGreaterThan(245));
    }

    /// Cut off anywhere and closed with an end marker, as a careless repair leaves it. A progressive picture that is
    /// cut between two scans is a whole one, only coarser; every other cut is found.
    @TestFactory
    Stream<DynamicTest> dataThatBreaksOffIsNeverVouchedFor() {
        return Stream.of(Scenes.Jpeg.USUAL, new Scenes.Jpeg(0.9, 1, 4, false), new Scenes.Jpeg(0.9, 2, 0, true))
                .map(how -> DynamicTest.dynamicTest(how.toString(), () -> {
                    byte[] jpeg = Scenes.jpeg(Scenes.scene(200, 120, 3), how);
                    int doubts = 0;
                    int cuts = 0;
                    // The last bytes may be nothing but padding.
                    for (int length = 2; length < jpeg.length - 6; length += 1 + jpeg.length / 300) {
                        byte[] cut = Arrays.copyOf(jpeg, length + 2);
                        cut[length] = (byte) 0xff;
                        cut[length + 1] = (byte) 0xd9;
                        cuts++;
                        if (isDoubtful(cut, 1 << length % 4)) {
                            doubts++;
                        } else {
                            assertThatCode(() -> reader.decode(cut, "cut", Background.WHITE))
                                    .doesNotThrowAnyException();
                        }
                    }
                    assertThat(doubts).isGreaterThanOrEqualTo(how.progressive() ? cuts - 10 : cuts);
                }));
    }

    private static boolean isDoubtful(byte[] jpeg, int side) {
        try {
            ReducedJpeg.decode(jpeg, side);
            return false;
        } catch (DoubtfulJpeg doubt) {
            return true;
        }
    }

    /// Nothing but a picture or a doubt comes of changed bytes, and a doubt comes often.
    @TestFactory
    Stream<DynamicTest> changedBytesGiveAPictureOrADoubt() {
        return Stream.of(Scenes.Jpeg.USUAL, new Scenes.Jpeg(0.9, 1, 4, false), new Scenes.Jpeg(0.9, 2, 0, true))
                .map(how -> DynamicTest.dynamicTest(how.toString(), () -> {
                    byte[] jpeg = Scenes.jpeg(Scenes.scene(120, 88, 3), how);
                    SplittableRandom random = new SplittableRandom(11);
                    int doubts = 0;
                    for (int round = 0; round < 1500; round++) {
                        byte[] changed = jpeg.clone();
                        for (int i = 0; i <= random.nextInt(4); i++) {
                            changed[2 + random.nextInt(changed.length - 2)] = (byte) random.nextInt(256);
                        }
                        try {
                            // A changed size may ask for much; the reader refuses that before this decoder sees it.
                            if (pixels(changed) > 1_000_000) continue;
                            ReducedJpeg.decode(changed, 1 << round % 4);
                        } catch (DoubtfulJpeg expected) {
                            doubts++;
                        }
                    }
                    assertThat(doubts).isGreaterThan(300);
                }));
    }

    private static long pixels(byte[] jpeg) {
        for (int at = 2; at + 9 < jpeg.length; at++) {
            int marker = jpeg[at + 1] & 0xff;
            if (jpeg[at] != (byte) 0xff || marker != 0xc0 && marker != 0xc1 && marker != 0xc2) continue;
            return (long) ((jpeg[at + 5] & 0xff) << 8 | jpeg[at + 6] & 0xff)
                    * ((jpeg[at + 7] & 0xff) << 8 | jpeg[at + 8] & 0xff);
        }
        return 0;
    }

    private static Picture means(Picture picture, int step) {
        int width = picture.width() / step;
        int height = picture.height() / step;
        byte[] rgb = new byte[3 * width * height];
        for (int i = 0; i < rgb.length; i++) {
            int sum = 0;
            for (int k = 0; k < step * step; k++) {
                sum += picture.at(i / 3 % width * step + k % step, i / 3 / width * step + k / step, i % 3);
            }
            rgb[i] = (byte) (sum / (step * step));
        }
        return new Picture(width, height, rgb);
    }

    private static int largestDifference(Picture a, Picture b) {
        assertThat(a.width()).isEqualTo(b.width());
        assertThat(a.height()).isEqualTo(b.height());
        int largest = 0;
        for (int i = 0; i < a.rgb().length; i++) {
            largest = Math.max(largest, Math.abs((a.rgb()[i] & 0xff) - (b.rgb()[i] & 0xff)));
        }
        return largest;
    }

    private static double meanDifference(Picture a, Picture b) {
        assertThat(a.rgb()).hasSameSizeAs(b.rgb());
        double sum = 0;
        for (int i = 0; i < a.rgb().length; i++) sum += Math.abs((a.rgb()[i] & 0xff) - (b.rgb()[i] & 0xff));
        return sum / a.rgb().length;
    }
}
