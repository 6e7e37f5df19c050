package nocturne.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;
import nocturne.problem.UserMistake;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GlanceTest {
    private final PictureReader reader = PictureReader.standard();

    @ParameterizedTest
    @CsvSource({"100, 60, 100", "1023, 50, 1023", "1024, 50, 512", "2047, 40, 1024", "2048, 40, 512", "4095, 33, 1024",
        "4096, 33, 512", "33, 6000, 750"})
    void theLongerSideIsFrom512To1024PixelsWhereThePictureHasThem(int width, int height, int longer) {
        byte[] jpeg = Scenes.jpeg(Scenes.scene(width, height, 1), Scenes.Jpeg.USUAL);
        Picture small = quick(jpeg).orElseThrow().small();
        assertThat(Math.max(small.width(), small.height())).isEqualTo(longer);
        assertThat(Math.max(small.width(), small.height())).isBetween(Math.min(512, Math.max(width, height)), 1024);
    }

    /// What orientation swaps is swapped here too, and both ways lead to nearly the same picture.
    @Test
    void theQuickWayShowsWhatTheLongOneShows() {
        byte[] jpeg = PictureFiles.jpegWithExif(Scenes.jpeg(Scenes.scene(1100, 700, 4), Scenes.Jpeg.USUAL), 6,
                ByteOrder.BIG_ENDIAN);
        Look quick = Look.at(quick(jpeg).orElseThrow().small());
        Glance glance = reader.glance(jpeg, "long", Background.WHITE);
        Look whole = Look.at(glance.small());
        assertThat(glance.header().width()).isEqualTo(700);
        assertThat(glance.small().height()).isGreaterThan(glance.small().width());
        assertThat(quick.likeness(whole).orElseThrow()).isLessThanOrEqualTo(1);
        assertThat(quick.sharpness()).isBetween(whole.sharpness() / 2, whole.sharpness() * 2);
    }

    @Test
    void squaresOfPixelsAreAveraged() {
        byte[] rgb = new byte[3 * 1025 * 3];
        for (int i = 0; i < rgb.length; i++) rgb[i] = (byte) (i / 3 % 1025 % 2 == 0 ? 100 : 200);
        Picture small = Glance.reduced(new Picture(1025, 3, rgb));
        assertThat(small.width()).isEqualTo(513);
        assertThat(small.height()).isEqualTo(2);
        assertThat(small.at(0, 0, 0)).isEqualTo(150);
        assertThat(small.at(512, 1, 2)).as("the last column stands alone").isEqualTo(100);
    }

    @Test
    void thereIsNoQuickWayForOtherFormatsAndForDamagedFiles() {
        assertThat(quick(PictureFiles.png(64, 64))).isEmpty();
        byte[] jpeg = Scenes.jpeg(Scenes.scene(200, 200, 1), Scenes.Jpeg.USUAL);
        byte[] cut = Arrays.copyOf(jpeg, jpeg.length / 2);
        cut[cut.length - 2] = (byte) 0xff;
        cut[cut.length - 1] = (byte) 0xd9;
        assertThat(quick(cut)).isEmpty();
        assertThatThrownBy(() -> reader.glance(cut, "cut", Background.WHITE)).isInstanceOf(UserMistake.class);
    }

    private Optional<Glance> quick(byte[] encoded) {
        return reader.quickGlance(encoded, reader.inspect(encoded, "picture"));
    }
}
