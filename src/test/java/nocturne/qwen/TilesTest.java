package nocturne.qwen;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class TilesTest {
    /// Tiles cut from one array must blend into that array again: all places are covered, and shares add up to 1.
    @Property(tries = 200)
    void tilesOfOneArrayBlendIntoIt(@ForAll @IntRange(min = 1, max = 70) int height,
            @ForAll @IntRange(min = 1, max = 70) int width, @ForAll @IntRange(min = 100, max = 2000) int most,
            @ForAll @IntRange(min = 1, max = 3) int scale) {
        Tiles tiles = Tiles.of(height, width, (h, w) -> h * w <= most);
        int channels = 2;
        float[] whole = new float[channels * scale * height * scale * width];
        for (int i = 0; i < whole.length; i++) whole[i] = i % 251 - 100;
        float[] blended = tiles.blend(channels, scale, (top, left) -> {
            float[] tile = new float[channels * scale * tiles.tileHeight() * scale * tiles.tileWidth()];
            int at = 0;
            for (int c = 0; c < channels; c++) {
                for (int y = scale * top; y < scale * (top + tiles.tileHeight()); y++) {
                    for (int x = scale * left; x < scale * (left + tiles.tileWidth()); x++) {
                        tile[at++] = whole[(c * scale * height + y) * scale * width + x];
                    }
                }
            }
            return tile;
        });
        assertThat(blended).hasSize(whole.length);
        for (int i = 0; i < whole.length; i++) assertThat(Math.abs(blended[i] - whole[i])).isLessThan(1e-3f);
    }

    @Property(tries = 200)
    void tilesAreOneWhereThePictureFitsAndFitWhereItDoesNot(@ForAll @IntRange(min = 1, max = 300) int height,
            @ForAll @IntRange(min = 1, max = 300) int width) {
        Tiles tiles = Tiles.of(height, width, (h, w) -> h * w <= 1600);
        assertThat(tiles.tileHeight() * tiles.tileWidth()).isLessThanOrEqualTo(1600);
        if (height * width <= 1600) assertThat(tiles.count()).isEqualTo(1);
    }

    /// Smaller tiles would be all seam, so a hopeless limit is exceeded rather than obeyed.
    @Test
    void tilesNeverGetSmallerThanTwoOverlaps() {
        Tiles tiles = Tiles.of(100, 60, (h, w) -> false);
        assertThat(tiles.tileHeight()).isBetween(16, 17);
        assertThat(tiles.tileWidth()).isBetween(16, 17);
    }
}
