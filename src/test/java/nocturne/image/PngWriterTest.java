package nocturne.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.stream.ImageInputStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/// What we write is read back by the JDK's own PNG reader, which shares no code with our writer.
class PngWriterTest {

    @Property(tries = 60)
    void everyPixelComesBack(@ForAll @IntRange(min = 1, max = 40) int width,
                             @ForAll @IntRange(min = 1, max = 40) int height,
                             @ForAll long seed, @ForAll boolean smooth) throws IOException {
        Picture picture = smooth ? gradient(width, height) : noise(width, height, seed);
        BufferedImage read = ImageIO.read(new ByteArrayInputStream(PngWriter.png(picture, none())));
        assertThat(read.getWidth()).isEqualTo(width);
        assertThat(read.getHeight()).isEqualTo(height);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int expected = picture.at(x, y, 0) << 16 | picture.at(x, y, 1) << 8 | picture.at(x, y, 2);
                assertThat(read.getRGB(x, y) & 0xffffff).as("pixel %d, %d", x, y).isEqualTo(expected);
            }
        }
    }

    @Test
    void textsComeBackInAnyScriptAndInOrder() throws IOException {
        SequencedMap<String, String> texts = new LinkedHashMap<>();
        texts.put("parameters", "a red circle\nNegative prompt: blurry\nSteps: 28");
        texts.put("Latin", "größer, ¿qué?");
        texts.put("nocturne", "{\"prompt\": \"红色的圆 🔴 – „so“\"}");
        texts.put("Empty", "");
        assertThat(readTexts(PngWriter.png(gradient(3, 2), texts))).containsExactlyEntriesOf(texts);
    }

    @Test
    void onlyTextBeyondLatin1NeedsTheNewerChunk() {
        assertThat(names(PngWriter.png(gradient(1, 1), texts("plain größer\nsecond line")))).contains("tEXt")
                .doesNotContain("iTXt");
        assertThat(names(PngWriter.png(gradient(1, 1), texts("红")))).contains("iTXt").doesNotContain("tEXt");
    }

    @Test
    void whatPngCannotHoldIsReplacedAndNotWritten() throws IOException {
        assertThat(readTexts(PngWriter.png(gradient(1, 1), texts("a\0b\ud800c"))))
                .containsEntry("key", "a\ufffdb\ufffdc");
    }

    @Property(tries = 200)
    void noTextCanBreakTheFile(@ForAll String text) throws IOException {
        byte[] png = PngWriter.png(gradient(2, 2), texts(text));
        assertThat(readTexts(png)).containsOnlyKeys("key");
        assertThat(ImageIO.read(new ByteArrayInputStream(png))).isNotNull();
    }

    @Test
    void samePictureSameBytes() {
        Picture picture = noise(33, 17, 5);
        assertThat(PngWriter.png(picture, texts("x"))).isEqualTo(PngWriter.png(picture, texts("x")));
    }

    @Test
    void filtersPaySmoothPicturesAreSmall() {
        assertThat(PngWriter.png(gradient(256, 256), none()).length).isLessThan(256 * 256 * 3 / 20);
    }

    @Test
    void refusesWhatIsNoKeyword() {
        for (String keyword : new String[] {"", " a", "a ", "a  b", "ä", "a\nb", "k".repeat(80)}) {
            SequencedMap<String, String> texts = new LinkedHashMap<>(Map.of(keyword, "x"));
            assertThatThrownBy(() -> PngWriter.png(gradient(1, 1), texts)).as("keyword '%s'", keyword)
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    private static SequencedMap<String, String> none() {
        return new LinkedHashMap<>();
    }

    private static SequencedMap<String, String> texts(String text) {
        return new LinkedHashMap<>(Map.of("key", text));
    }

    private static Picture gradient(int width, int height) {
        byte[] rgb = new byte[width * height * 3];
        for (int i = 0; i < width * height; i++) {
            rgb[3 * i] = (byte) (i % width);
            rgb[3 * i + 1] = (byte) (i / width);
            rgb[3 * i + 2] = (byte) (i % width + i / width);
        }
        return new Picture(width, height, rgb);
    }

    private static Picture noise(int width, int height, long seed) {
        byte[] rgb = new byte[width * height * 3];
        new Random(seed).nextBytes(rgb);
        return new Picture(width, height, rgb);
    }

    /// The names of all chunks: after the 8-byte signature, each is length, name, data and check sum.
    private static List<String> names(byte[] png) {
        List<String> names = new ArrayList<>();
        ByteBuffer buffer = ByteBuffer.wrap(png);
        for (int at = 8; at < png.length; at += 12 + buffer.getInt(at)) {
            names.add(new String(png, at + 4, 4, StandardCharsets.US_ASCII));
        }
        return names;
    }

    static SequencedMap<String, String> readTexts(byte[] png) throws IOException {
        ImageReader reader = ImageIO.getImageReadersByFormatName("png").next();
        try (ImageInputStream in = ImageIO.createImageInputStream(new ByteArrayInputStream(png))) {
            reader.setInput(in);
            IIOMetadata metadata = reader.getImageMetadata(0);
            Element root = (Element) metadata.getAsTree("javax_imageio_png_1.0");
            SequencedMap<String, String> texts = new LinkedHashMap<>();
            add(texts, root.getElementsByTagName("tEXtEntry"), "value");
            add(texts, root.getElementsByTagName("iTXtEntry"), "text");
            // The reader groups by kind; put them back into the order of the file.
            SequencedMap<String, String> ordered = new LinkedHashMap<>();
            texts.entrySet().stream()
                    .sorted(Comparator.comparingInt(entry -> position(png, entry.getKey())))
                    .forEach(entry -> ordered.put(entry.getKey(), entry.getValue()));
            return ordered;
        } finally {
            reader.dispose();
        }
    }

    private static int position(byte[] png, String keyword) {
        return new String(png, StandardCharsets.ISO_8859_1).indexOf("Xt" + keyword + '\0');     // tEXt or iTXt
    }

    private static void add(Map<String, String> texts, NodeList entries, String value) {
        for (int i = 0; i < entries.getLength(); i++) {
            Element entry = (Element) entries.item(i);
            texts.put(entry.getAttribute("keyword"), entry.getAttribute(value));
        }
    }
}
