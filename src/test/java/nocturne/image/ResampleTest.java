package nocturne.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import nocturne.image.Resample.Filter;
import nocturne.image.Resample.Order;

class ResampleTest {
    /// Weights sum to one whatever the sizes, also at the borders where part of the filter lies outside.
    @Property(tries = 200)
    void aPlainPictureStaysPlainAtAnySize(@ForAll @IntRange(min = 1, max = 60) int width,
            @ForAll @IntRange(min = 1, max = 60) int height, @ForAll @IntRange(min = 1, max = 90) int newWidth,
            @ForAll @IntRange(min = 1, max = 90) int newHeight, @ForAll byte grey, @ForAll Filter filter,
            @ForAll Order order) {
        byte[] rgb = new byte[3 * width * height];
        Arrays.fill(rgb, grey);
        Picture plain = new Picture(width, height, rgb);
        Picture resized = Resample.pillow(plain, newWidth, newHeight, filter, order);
        assertThat(resized.width()).isEqualTo(newWidth);
        assertThat(resized.height()).isEqualTo(newHeight);
        assertThat(resized.rgb()).containsOnly(grey);
        // Fewer bits for the weights: the sum may miss one by enough to cost the brightest grey one level.
        for (byte value : Resample.torchvisionBicubic(plain, newWidth, newHeight).rgb()) {
            assertThat(Math.abs((value & 0xff) - (grey & 0xff))).isLessThanOrEqualTo(1);
        }
    }

    @Property(tries = 50)
    void theSameSizeIsTheSamePicture(@ForAll @IntRange(min = 1, max = 20) int width,
            @ForAll @IntRange(min = 1, max = 20) int height, @ForAll Filter filter, @ForAll Order order) {
        byte[] rgb = new byte[3 * width * height];
        for (int i = 0; i < rgb.length; i++) rgb[i] = (byte) (i * 37);
        Picture picture = new Picture(width, height, rgb);
        assertThat(Resample.pillow(picture, width, height, filter, order).rgb()).isEqualTo(rgb);
        assertThat(Resample.torchvisionBicubic(picture, width, height).rgb()).isEqualTo(rgb);
    }
}
