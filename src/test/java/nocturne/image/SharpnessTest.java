package nocturne.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import java.awt.image.BufferedImage;
import java.awt.image.ConvolveOp;
import java.awt.image.Kernel;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SharpnessTest {

    /// Of an even ramp the Laplacian is 0 everywhere, of a checkerboard it is plus or minus eight times the contrast.
    @Test
    void theMeasureIsTheVarianceOfTheLaplacian() {
        assertThat(Sharpness.of(drawn((x, y) -> x))).isCloseTo(0, offset(1e-3));
        assertThat(Sharpness.of(drawn((x, y) -> (x + y) % 2 == 0 ? 100 : 110)))
                .isCloseTo(40 * 40, offset(1.0));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void blurLowersItByFar(long seed) {
        BufferedImage scene = Scenes.scene(512, 384, seed);
        double sharp = Sharpness.of(Scenes.picture(scene));
        double soft = Sharpness.of(Scenes.picture(blurred(scene, 9)));
        assertThat(soft).isLessThan(sharp / 10);
    }

    /// One field that is sharp makes a sharp picture, whatever is behind it.
    @Test
    void aSharpFaceBeforeASoftBackgroundIsSharp() {
        BufferedImage scene = Scenes.scene(512, 512, 9);
        BufferedImage portrait = blurred(scene, 15);
        for (int y = 128; y < 256; y++) for (int x = 128; x < 256; x++) portrait.setRGB(x, y, scene.getRGB(x, y));
        double face = Sharpness.of(Scenes.picture(portrait));
        assertThat(face).isGreaterThan(10 * Sharpness.of(Scenes.picture(blurred(scene, 15))));
    }

    @Test
    void aPictureOfAFewPixelsHasASharpnessToo() {
        assertThat(Sharpness.of(new Picture(1, 1, new byte[3]))).isZero();
        assertThat(Sharpness.of(new Picture(2, 900, new byte[5400]))).isZero();
    }

    private interface Brightness {
        int at(int x, int y);
    }

    private static Picture drawn(Brightness brightness) {
        byte[] rgb = new byte[3 * 200 * 200];
        for (int i = 0; i < rgb.length; i++) rgb[i] = (byte) brightness.at(i / 3 % 200, i / 3 / 200);
        return new Picture(200, 200, rgb);
    }

    /// By the mean of `side` x `side` pixels, edges left as they are.
    private static BufferedImage blurred(BufferedImage image, int side) {
        float[] weights = new float[side * side];
        Arrays.fill(weights, 1f / weights.length);
        return new ConvolveOp(new Kernel(side, side, weights), ConvolveOp.EDGE_NO_OP, null).filter(image, null);
    }
}
