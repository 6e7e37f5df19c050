package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;

import nocturne.event.Event.LossByNoise;
import nocturne.ledger.Ledger;
import org.junit.jupiter.api.Test;

class NoiseThirdsTest {
    private final NoiseThirds thirds = new NoiseThirds();

    @Test
    @Ledger("S1-28")
    void eachLossCountsInItsThird() {
        thirds.add(new float[] {1}, 4);
        thirds.add(new float[] {0.7f}, 2);
        thirds.add(new float[] {0.5f}, 7);
        thirds.add(new float[] {0}, 9);
        assertThat(thirds.means()).isEqualTo(new LossByNoise(3, 7, 9));
    }

    /// One loss of several pictures cannot be told apart.
    @Test
    void aBatchCountsOnlyWhereAllItsLevelsAreInOneThird() {
        thirds.add(new float[] {0.1f, 0.2f}, 1);
        thirds.add(new float[] {0.2f, 0.5f}, 100);
        assertThat(thirds.means()).isEqualTo(new LossByNoise(Double.NaN, Double.NaN, 1));
        thirds.clear();
        assertThat(thirds.means()).isEqualTo(LossByNoise.UNKNOWN);
    }
}
