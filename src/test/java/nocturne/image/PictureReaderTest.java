package nocturne.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import com.drew.imaging.ImageMetadataReader;
import com.drew.metadata.exif.ExifIFD0Directory;
import java.awt.color.ColorSpace;
import java.awt.color.ICC_Profile;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.DeflaterOutputStream;
import nocturne.image.PictureHeader.Format;
import nocturne.problem.UserMistake;
import nocturne.promise.Promise;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PictureReaderTest {
    private static final int RED = 0xff0000;
    private static final int GREEN = 0x00ff00;
    private static final int BLUE = 0x0000ff;
    private static final int YELLOW = 0xffff00;

    private final PictureReader reader = PictureReader.standard();

    @TempDir
    Path folder;

    /// The four corners after turning, read off the EXIF specification's drawing of a stored picture with
    /// red, blue / green, yellow in its quarters. An independent reader confirms that the file says what we mean.
    @ParameterizedTest
    @CsvSource({
        "1, 48, 32, red blue green yellow",
        "2, 48, 32, blue red yellow green",
        "3, 48, 32, yellow green blue red",
        "4, 48, 32, green yellow red blue",
        "5, 32, 48, red green blue yellow",
        "6, 32, 48, green red yellow blue",
        "7, 32, 48, yellow blue green red",
        "8, 32, 48, blue yellow red green"
    })
    void everyExifOrientationComesOutUpright(int tag, int width, int height, String corners) throws Exception {
        byte[] jpeg = PictureFiles.jpegWithExif(PictureFiles.jpeg(48, 32), tag, ByteOrder.BIG_ENDIAN);
        byte[] exif = PictureFiles.exif(tag, ByteOrder.LITTLE_ENDIAN);
        byte[] png = PictureFiles.withChunk(PictureFiles.png(48, 32), "eXIf", exif);
        ExifIFD0Directory independent = ImageMetadataReader.readMetadata(new ByteArrayInputStream(jpeg))
                .getFirstDirectoryOfType(ExifIFD0Directory.class);
        assertThat(independent.getInteger(ExifIFD0Directory.TAG_ORIENTATION)).isEqualTo(tag);
        for (byte[] file : new byte[][] {jpeg, png}) {
            PictureHeader header = reader.inspect(file, "turned");
            assertThat(header.width()).isEqualTo(width);
            assertThat(header.height()).isEqualTo(height);
            Picture picture = reader.decode(file, "turned", Background.WHITE);
            assertThat(picture.width()).isEqualTo(width);
            assertThat(picture.height()).isEqualTo(height);
            assertThat(corners(picture)).isEqualTo(corners);
        }
    }

    @Test
    void nonsenseInTheOrientationTagMeansUpright() {
        byte[] jpeg = PictureFiles.jpegWithExif(PictureFiles.jpeg(48, 32), 9, ByteOrder.LITTLE_ENDIAN);
        assertThat(corners(reader.decode(jpeg, "nine", Background.WHITE))).isEqualTo("red blue green yellow");
    }

    @ParameterizedTest
    @CsvSource({"png, PNG", "jpg, JPEG"})
    void theFormatIsTakenFromTheContentNotFromTheName(String written, Format format) {
        Path file = PictureFiles.write(folder.resolve("picture.webp"),
                PictureFiles.encode(PictureFiles.quarters(48, 32, BufferedImage.TYPE_INT_RGB), written));
        assertThat(reader.inspect(file).format()).isEqualTo(format);
        assertThat(corners(reader.read(file, Background.WHITE))).isEqualTo("red blue green yellow");
    }

    @ParameterizedTest
    @ValueSource(strings = {"lossy.webp", "lossless.webp"})
    void readsBothKindsOfWebp(String name) throws IOException {
        byte[] webp = resource(name);
        assertThat(reader.inspect(webp, name)).isEqualTo(new PictureHeader(Format.WEBP, 48, 32, Orientation.UPRIGHT));
        assertThat(corners(reader.decode(webp, name, Background.WHITE))).isEqualTo("red blue green yellow");
    }

    /// The right-hand sides were decoded by libwebp, see the README beside them. Not a bit may differ: what a decoder
    /// makes up, the adapter learns.
    @ParameterizedTest
    @ValueSource(strings = {"reference_normal", "reference_simple", "reference_sharp"})
    void lossyWebpIsDecodedAsTheReferenceDoes(String name) throws IOException {
        Picture ours = reader.decode(resource(name + ".webp"), name, Background.BLACK);
        Picture reference = reader.decode(resource(name + ".png"), name, Background.BLACK);
        assertThat(ours.width()).isEqualTo(reference.width());
        assertThat(ours.rgb()).isEqualTo(reference.rgb());
    }

    @Test
    void exifInWebpTurnsThePicture() throws IOException {
        Picture picture = reader.decode(resource("turned.webp"), "turned.webp", Background.WHITE);
        assertThat(corners(picture)).isEqualTo("green red yellow blue");
        assertThat(picture.width()).isEqualTo(32);
    }

    @ParameterizedTest
    @ValueSource(strings = {"lossy_alpha.webp", "lossless_alpha.webp"})
    void theBackgroundShowsThroughATransparentQuarterOfAWebp(String name) throws IOException {
        Picture picture = reader.decode(resource(name), name, new Background(10, 20, 30));
        assertThat(picture.at(5, 5, 0)).isEqualTo(10);
        assertThat(picture.at(5, 5, 1)).isEqualTo(20);
        assertThat(picture.at(5, 5, 2)).isEqualTo(30);
        assertThat(corners(picture)).endsWith("blue green yellow");
    }

    @Test
    @Promise(row = 7, fault = "an animated WebP")
    void anAnimationIsRefused() throws IOException {
        byte[] webp = resource("animation.webp");
        assertThatThrownBy(() -> reader.inspect(webp, "a.webp")).isInstanceOf(UserMistake.class)
                .hasMessage("a.webp: it is an animation; save the frame you want as a still picture");
    }

    @Test
    void halfTransparencyMixesHalfAndHalf() {
        BufferedImage image = new BufferedImage(2, 1, BufferedImage.TYPE_INT_ARGB);
        image.setRGB(0, 0, 0x80ff0000);
        image.setRGB(1, 0, 0xff0000ff);
        byte[] png = PictureFiles.encode(image, "png");
        Picture black = reader.decode(png, "a", Background.BLACK);
        Picture white = reader.decode(png, "a", Background.WHITE);
        assertThat(black.rgb()).containsExactly(128, 0, 0, 0, 0, 255);
        assertThat(white.rgb()).containsExactly(255, 127, 127, 0, 0, 255);
    }

    @Test
    void paletteAndItsTransparentEntryAreResolved() {
        byte[] red = {(byte) 200, 0};
        byte[] none = {0, 0};
        IndexColorModel palette = new IndexColorModel(1, 2, red, none, none, 1);
        BufferedImage image = new BufferedImage(2, 1, BufferedImage.TYPE_BYTE_BINARY, palette);
        image.getRaster().setSample(0, 0, 0, 0);
        image.getRaster().setSample(1, 0, 0, 1);
        Picture picture = reader.decode(PictureFiles.encode(image, "png"), "a", new Background(1, 2, 3));
        assertThat(picture.rgb()).containsExactly(200, 0, 0, 1, 2, 3);
    }

    /// Java's own conversion would turn 128 into 188, taking grey values for linear light.
    @ParameterizedTest
    @ValueSource(strings = {"png", "jpg"})
    void greyKeepsItsValue(String format) {
        BufferedImage image = new BufferedImage(8, 8, BufferedImage.TYPE_BYTE_GRAY);
        for (int i = 0; i < 64; i++) image.getRaster().setSample(i % 8, i / 8, 0, 128);
        Picture picture = reader.decode(PictureFiles.encode(image, format), "grey", Background.WHITE);
        assertThat(picture.rgb()).containsOnly(128);
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "128, 0", "129, 1", "257, 1", "32896, 128", "65278, 254", "65535, 255"})
    void sixteenBitsAreRoundedToEight(int stored, int expected) {
        BufferedImage image = new BufferedImage(1, 1, BufferedImage.TYPE_USHORT_GRAY);
        image.getRaster().setSample(0, 0, 0, stored);
        Picture picture = reader.decode(PictureFiles.encode(image, "png"), "deep", Background.WHITE);
        assertThat(picture.at(0, 0, 2)).isEqualTo(expected);
    }

    @Test
    void readsProgressiveJpeg() throws IOException {
        Picture picture = reader.decode(PictureFiles.progressiveJpeg(48, 32), "a", Background.WHITE);
        assertThat(corners(picture)).isEqualTo("red blue green yellow");
    }

    /// Inks are subtractive: full cyan takes all red away and leaves green and blue.
    @ParameterizedTest
    @CsvSource({"255,0,0, 0,255,255", "0,255,0, 255,0,255", "0,0,255, 255,255,0", "0,0,0, 255,255,255"})
    void inksOfACmykJpegBecomeLight(int c, int m, int y, int red, int green, int blue) throws IOException {
        Picture picture = reader.decode(PictureFiles.cmykJpeg(16, c, m, y, 0), "ink", Background.WHITE);
        // A printing profile knows no pure colours, so only light and dark are told apart.
        assertThat(picture.at(8, 8, 0)).isCloseTo(red, within(110));
        assertThat(picture.at(8, 8, 1)).isCloseTo(green, within(110));
        assertThat(picture.at(8, 8, 2)).isCloseTo(blue, within(110));
    }

    /// sRGB of linear 100/255: 1.055 * (100/255)^(1/2.4) - 0.055 = 0.6590, times 255 = 168.
    @Test
    void aColourProfileIsConvertedToSrgb() throws IOException {
        BufferedImage image = new BufferedImage(16, 16, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 256; i++) image.setRGB(i % 16, i / 16, 0x646464);
        byte[] profile = ICC_Profile.getInstance(ColorSpace.CS_LINEAR_RGB).getData();
        ByteArrayOutputStream iccp = new ByteArrayOutputStream();
        iccp.writeBytes("linear\0\0".getBytes(StandardCharsets.US_ASCII));
        try (DeflaterOutputStream deflater = new DeflaterOutputStream(iccp)) {
            deflater.write(profile);
        }
        byte[] png = PictureFiles.withChunk(PictureFiles.encode(image, "png"), "iCCP", iccp.toByteArray());
        byte[] segment = new byte[14 + profile.length];
        System.arraycopy("ICC_PROFILE\0\1\1".getBytes(StandardCharsets.US_ASCII), 0, segment, 0, 14);
        System.arraycopy(profile, 0, segment, 14, profile.length);
        byte[] jpeg = PictureFiles.withSegment(PictureFiles.encode(image, "jpg"), 0xe2, segment);
        assertThat(reader.decode(png, "png", Background.WHITE).at(7, 7, 1)).isCloseTo(168, within(1));
        assertThat(reader.decode(jpeg, "jpeg", Background.WHITE).at(7, 7, 1)).isCloseTo(168, within(2));
    }

    @Test
    @Promise(row = 7, fault = "a colour profile that inflates to 64 MB")
    void aProfileThatInflatesWithoutEndIsLeftAside() throws IOException {
        ByteArrayOutputStream iccp = new ByteArrayOutputStream();
        iccp.writeBytes("bomb\0\0".getBytes(StandardCharsets.US_ASCII));
        try (DeflaterOutputStream deflater = new DeflaterOutputStream(iccp)) {
            for (int i = 0; i < 64; i++) deflater.write(new byte[1 << 20]);
        }
        byte[] png = PictureFiles.withChunk(PictureFiles.png(48, 32), "iCCP", iccp.toByteArray());
        assertThat(corners(reader.decode(png, "bomb", Background.WHITE))).isEqualTo("red blue green yellow");
    }

    @ParameterizedTest
    @CsvSource({"60000, 60000", "16385, 1", "1, 16385", "16000, 16000", "2147483647, 2147483647"})
    @Promise(row = 7, fault = "headers that claim up to 2^31 x 2^31 pixels")
    void aPictureBombIsRefusedFromItsHeader(int width, int height) {
        byte[] bomb = PictureFiles.pngClaiming(width, height);
        assertThatThrownBy(() -> reader.decode(bomb, "bomb.png", Background.WHITE)).isInstanceOf(UserMistake.class)
                .hasMessageContaining("at most 16,384 a side and 100,000,000 altogether");
    }

    @Test
    void aFileAboveTheLimitIsNotLoaded() {
        Path file = PictureFiles.write(folder.resolve("large.png"), PictureFiles.png(300, 300));
        PictureReader strict = new PictureReader(new PictureLimits(1000, 1000, 100));
        assertThatThrownBy(() -> strict.inspect(file)).isInstanceOf(UserMistake.class)
                .hasMessageContaining("at most 100 are allowed");
    }

    @Test
    void aMissingFileAFolderAnEmptyFileAndATextAreNamedForWhatTheyAre() throws IOException {
        Path text = Files.writeString(folder.resolve("text.png"), "not a picture");
        Path empty = Files.createFile(folder.resolve("empty.png"));
        assertThatThrownBy(() -> reader.read(folder.resolve("none.png"), Background.WHITE))
                .isInstanceOf(UserMistake.class).hasMessageEndingWith("none.png: there is no such file");
        assertThatThrownBy(() -> reader.read(folder, Background.WHITE)).hasMessageEndingWith("it is a folder");
        assertThatThrownBy(() -> reader.read(empty, Background.WHITE)).hasMessageEndingWith("the file is empty");
        UserMistake mistake =
                catchThrowableOfType(UserMistake.class, () -> reader.read(text, Background.WHITE));
        assertThat(mistake.problems()).singleElement().satisfies(problem -> {
            assertThat(problem.code()).isEqualTo("PICTURE_UNREADABLE");
            assertThat(problem.where()).isEqualTo(text.toString());
            assertThat(problem.what()).contains("neither PNG, JPEG nor WebP");
        });
    }

    private static byte[] resource(String name) throws IOException {
        return Files.readAllBytes(Path.of("src/test/resources/pictures", name));
    }

    /// Names of the colours in the middle of the four quarters, in reading order.
    private static String corners(Picture picture) {
        StringBuilder names = new StringBuilder();
        for (int i = 0; i < 4; i++) {
            int x = picture.width() * (1 + i % 2 * 2) / 4;
            int y = picture.height() * (1 + i / 2 * 2) / 4;
            int rgb = 0;
            for (int c = 0; c < 3; c++) rgb = rgb << 8 | (picture.at(x, y, c) > 127 ? 255 : 0);
            names.append(i == 0 ? "" : " ").append(switch (rgb) {
                case RED -> "red";
                case GREEN -> "green";
                case BLUE -> "blue";
                case YELLOW -> "yellow";
                default -> Integer.toHexString(rgb);
            });
        }
        return names.toString();
    }
}
