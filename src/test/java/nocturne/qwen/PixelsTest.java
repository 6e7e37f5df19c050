package nocturne.qwen;

import static org.assertj.core.api.Assertions.assertThat;

import nocturne.image.Picture;
import org.junit.jupiter.api.Test;

class PixelsTest {
    @Test
    void all256LevelsSurviveTheWayThereAndBack() {
        byte[] rgb = new byte[3 * 16 * 16];
        for (int i = 0; i < 256; i++) {
            for (int c = 0; c < 3; c++) rgb[3 * i + c] = (byte) (i * (2 * c + 1));
        }
        float[] pixels = Pixels.of(new Picture(16, 16, rgb));
        assertThat(pixels[0]).as("black").isEqualTo(-1f);
        assertThat(pixels[255]).as("white").isEqualTo(1f);
        assertThat(Pixels.picture(pixels, 16, 16).rgb()).isEqualTo(rgb);
    }

    @Test
    void channelsComeFirstAndRowsBeforeColumns() {
        byte[] rgb = new byte[3 * 2 * 3];
        rgb[3 * (1 * 2 + 1) + 2] = (byte) 255;   // blue, row 1, column 1 of a picture 2 wide and 3 high
        float[] pixels = Pixels.of(new Picture(2, 3, rgb));
        assertThat(pixels[(2 * 3 + 1) * 2 + 1]).isEqualTo(1f);
    }

    @Test
    void valuesBeyondBlackAndWhiteAreClamped() {
        assertThat(Pixels.picture(new float[] {-3, 0, 3}, 1, 1).rgb()).containsExactly(0, 128, 255);
    }
}
