package nocturne.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

/// What we write is read by the JDK's reader and by ours.
class JpegWriterTest {
    private static final String COMMENT = "größer 红色的圆\nSteps: 28";

    /// Red and blue stripes of one pixel: with colour at half resolution they would run together into purple.
    @Test
    void colourKeepsItsResolution() throws IOException {
        byte[] rgb = new byte[3 * 32 * 16];
        for (int i = 0; i < 32 * 16; i++) rgb[3 * i + (i % 2 == 0 ? 0 : 2)] = (byte) 200;
        BufferedImage read = ImageIO.read(new ByteArrayInputStream(JpegWriter.jpeg(new Picture(32, 16, rgb), COMMENT)));
        for (int x = 0; x < 32; x++) {
            int pixel = read.getRGB(x, 8);
            int red = pixel >> 16 & 0xff;
            int blue = pixel & 0xff;
            assertThat(x % 2 == 0 ? red - blue : blue - red).as("column %d", x).isGreaterThan(100);
        }
    }

    @Test
    void ourOwnReaderTakesItAndItLosesLittle() {
        Picture picture = gradient(70, 41);
        Picture read = PictureReader.standard().decode(JpegWriter.jpeg(picture, COMMENT), "a.jpg", Background.BLACK);
        double sum = 0;
        for (int i = 0; i < picture.rgb().length; i++) {
            sum += Math.abs((picture.rgb()[i] & 0xff) - (read.rgb()[i] & 0xff));
        }
        assertThat(sum / picture.rgb().length).isLessThan(2);
    }

    @Test
    void theCommentIsInTheFileWhichIsTheSameEachTime() {
        Picture picture = gradient(9, 7);
        byte[] jpeg = JpegWriter.jpeg(picture, COMMENT);
        assertThat(new String(jpeg, StandardCharsets.UTF_8)).contains(COMMENT);
        assertThat(JpegWriter.jpeg(picture, COMMENT)).isEqualTo(jpeg);
    }

    @Test
    void aCommentThatIsTooLongIsCut() throws IOException {
        byte[] jpeg = JpegWriter.jpeg(gradient(8, 8), "x".repeat(100_000));
        assertThat(jpeg.length).isBetween(65_533, 70_000);
        assertThat(ImageIO.read(new ByteArrayInputStream(jpeg)).getWidth()).isEqualTo(8);
    }

    private static Picture gradient(int width, int height) {
        byte[] rgb = new byte[3 * width * height];
        Random random = new Random(5);
        for (int i = 0; i < rgb.length; i++) rgb[i] = (byte) (i * 200 / rgb.length + random.nextInt(3));
        return new Picture(width, height, rgb);
    }
}
