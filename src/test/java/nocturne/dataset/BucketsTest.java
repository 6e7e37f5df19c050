package nocturne.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import nocturne.ledger.Ledger;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BucketsTest {
    /// Worked out by hand from the rule.
    @ParameterizedTest
    @CsvSource({
        // Exactly the square, however large the picture.
        "64, 64, 64, 64, 64",
        "1024, 1024, 1024, 1024, 1024",
        "6000, 6000, 1024, 1024, 1024",
        // 4:3 is met exactly by 1152 x 864, the next size below the ideal 1182 x 887.
        "4000, 3000, 1024, 1152, 864",
        "3000, 4000, 1024, 864, 1152",
        // 16:9: 768 rows are ideal; 1365 columns round to 1344, since 1376 would pass the area.
        "1920, 1080, 1024, 1344, 768",
        // Smaller than the resolution: its own size, rounded down.
        "800, 600, 1024, 800, 576",
        "100, 70, 512, 96, 64",
        // A panorama whose ideal height is under one multiple.
        "10000, 100, 64, 128, 32"
    })
    @Ledger("S1-44")
    void choosesTheKnownSize(int width, int height, int resolution, int bucketWidth, int bucketHeight) {
        Placement placement = Buckets.fit(width, height, resolution);
        assertThat(placement.width()).isEqualTo(bucketWidth);
        assertThat(placement.height()).isEqualTo(bucketHeight);
    }

    @Property(tries = 2000)
    void sidesAreMultiplesTheAreaIsBoundedAndNothingIsEnlarged(
            @ForAll @IntRange(min = 32, max = 16_384) int width, @ForAll @IntRange(min = 32, max = 16_384) int height,
            @ForAll @IntRange(min = 32, max = 2048) int resolution) {
        Placement placement = Buckets.fit(width, height, resolution);
        assertThat(placement.width() % 32).isZero();
        assertThat(placement.height() % 32).isZero();
        assertThat((long) placement.width() * placement.height()).isLessThanOrEqualTo((long) resolution * resolution);
        assertThat(placement.scaledWidth()).isLessThanOrEqualTo(width);
        assertThat(placement.scaledHeight()).isLessThanOrEqualTo(height);
    }

    /// Against every size there is: none that is at least as large crops less.
    @Property(tries = 300)
    void noBucketAsLargeCropsLess(
            @ForAll @IntRange(min = 32, max = 3000) int width, @ForAll @IntRange(min = 32, max = 3000) int height,
            @ForAll @IntRange(min = 32, max = 640) int resolution) {
        Placement chosen = Buckets.fit(width, height, resolution);
        double kept = share(width, height, chosen.width(), chosen.height());
        for (int w = 32; w <= width; w += 32) {
            for (int h = 32; h <= height && w * h <= resolution * resolution; h += 32) {
                if (w * h >= chosen.width() * chosen.height()) {
                    assertThat(share(width, height, w, h)).as("%d x %d", w, h).isLessThanOrEqualTo(kept);
                }
            }
        }
    }

    @Property(tries = 1000)
    void aTurnedPictureGetsTheTurnedBucket(
            @ForAll @IntRange(min = 1, max = 9000) int width, @ForAll @IntRange(min = 1, max = 9000) int height,
            @ForAll @IntRange(min = 32, max = 2048) int resolution) {
        Placement one = Buckets.fit(width, height, resolution);
        Placement other = Buckets.fit(height, width, resolution);
        assertThat(new int[] {one.width() * one.height(), Math.max(one.width(), one.height())})
                .isEqualTo(new int[] {other.width() * other.height(), Math.max(other.width(), other.height())});
    }

    @Property(tries = 1000)
    void theScaledPictureCoversTheBucketOnOneSideExactlyAndKeepsItsProportions(
            @ForAll @IntRange(min = 32, max = 9000) int width, @ForAll @IntRange(min = 32, max = 9000) int height,
            @ForAll @IntRange(min = 32, max = 2048) int resolution) {
        Placement p = Buckets.fit(width, height, resolution);
        assertThat(p.scaledWidth() == p.width() || p.scaledHeight() == p.height()).isTrue();
        double scale = Math.max((double) p.width() / width, (double) p.height() / height);
        assertThat((double) p.scaledWidth()).isCloseTo(width * scale, within(0.5001));
        assertThat((double) p.scaledHeight()).isCloseTo(height * scale, within(0.5001));
        assertThat(p.scaledWidth() - p.width() - 2 * p.left()).isBetween(0, 1);
        assertThat(p.scaledHeight() - p.height() - 2 * p.top()).isBetween(0, 1);
    }

    @Example
    void aPictureUnderOneMultipleIsEnlargedToIt() {
        assertThat(Buckets.fit(20, 50, 64)).isEqualTo(new Placement(32, 80, 0, 24, 32, 32));
        assertThat(Buckets.fit(1, 1, 64)).isEqualTo(new Placement(32, 32, 0, 0, 32, 32));
    }

    @Example
    void withoutBucketsTheMiddleSquareIsTaken() {
        assertThat(Buckets.square(1000, 500, 256)).isEqualTo(new Placement(512, 256, 128, 0, 256, 256));
        assertThat(Buckets.square(300, 500, 1024)).isEqualTo(new Placement(288, 480, 0, 96, 288, 288));
    }

    @Example
    void impossibleResolutionsAreRefused() {
        assertThatThrownBy(() -> Buckets.fit(100, 100, 31)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Buckets.fit(100, 100, 20_000)).isInstanceOf(IllegalArgumentException.class);
    }

    /// The share of the picture inside a bucket of other proportions: the smaller proportion over the larger.
    private static double share(int width, int height, int w, int h) {
        double one = (double) w * height;
        double other = (double) h * width;
        return Math.min(one, other) / Math.max(one, other);
    }
}
