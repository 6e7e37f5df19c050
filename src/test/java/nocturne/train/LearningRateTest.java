package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import nocturne.train.LearningRate.Constant;
import nocturne.train.LearningRate.ConstantWithWarmup;
import nocturne.train.LearningRate.Cosine;
import nocturne.train.LearningRate.CosineWithRestarts;
import nocturne.train.LearningRate.Linear;
import nocturne.train.LearningRate.Span;
import org.junit.jupiter.api.Test;

/// The values are worked out by hand from the formulas; cosines of thirds and quarters of pi are known.
class LearningRateTest {
    private static final double PEAK = 1e-4;
    private static final Span HUNDRED = new Span(0, 100);
    private static final Span WARM = new Span(10, 110);

    @Test
    void aConstantRateStays() {
        assertRates(new Constant(PEAK), 0, PEAK, 1, PEAK, 1_000_000, PEAK);
    }

    @Test
    void warmUpIsAStraightLineFromZero() {
        LearningRate[] warm = {new ConstantWithWarmup(PEAK, 10), new Linear(PEAK, 0, WARM), new Cosine(PEAK, 0, WARM),
            new CosineWithRestarts(PEAK, 0, WARM, 3)};
        for (LearningRate rate : warm) assertRates(rate, 0, 0, 1, 1e-5, 5, 5e-5, 9, 9e-5, 10, PEAK);
        assertRates(warm[0], 11, PEAK, 5000, PEAK);
        assertRates(new ConstantWithWarmup(PEAK, 0), 0, PEAK);
    }

    @Test
    void aLinearRateFallsEvenlyToTheFloor() {
        assertRates(new Linear(PEAK, 0, HUNDRED), 0, PEAK, 25, 7.5e-5, 99, 1e-6, 100, 0, 101, 0);
        assertRates(new Linear(PEAK, 0, WARM), 60, 5e-5, 110, 0, 200, 0);
        assertRates(new Linear(PEAK, 2e-5, HUNDRED), 50, 6e-5, 100, 2e-5, 500, 2e-5);
    }

    /// cos(pi/3) = 1/2 and cos(pi/2) = 0.
    @Test
    void aCosineRateFallsAsHalfACosine() {
        Cosine third = new Cosine(PEAK, 0, new Span(0, 300));
        assertRates(third, 0, PEAK, 100, 7.5e-5, 150, 5e-5, 200, 2.5e-5, 300, 0, 301, 0);
        assertRates(new Cosine(PEAK, 0, WARM), 60, 5e-5, 110, 0);
        assertRates(new Cosine(PEAK, 1e-5, new Span(0, 300)), 0, PEAK, 100, 7.75e-5, 300, 1e-5, 400, 1e-5);
    }

    @Test
    void restartsReturnToThePeak() {
        CosineWithRestarts two = new CosineWithRestarts(PEAK, 0, new Span(0, 600), 2);
        assertRates(two, 0, PEAK, 100, 7.5e-5, 150, 5e-5, 300, PEAK, 400, 7.5e-5, 450, 5e-5, 600, 0, 700, 0);
        assertThat(two.at(299)).isLessThan(1e-8);
        assertRates(new CosineWithRestarts(PEAK, 1e-5, new Span(0, 600), 2), 450, 5.5e-5, 600, 1e-5);
        CosineWithRestarts one = new CosineWithRestarts(PEAK, 0, HUNDRED, 1);
        for (int step = 0; step < 120; step++) {
            assertThat(one.at(step)).isCloseTo(new Cosine(PEAK, 0, HUNDRED).at(step), within(1e-18));
        }
    }

    @Property
    void noScheduleLeavesTheRangeFromZeroToThePeak(@ForAll @IntRange(max = 50) int warmup,
                                                   @ForAll @IntRange(max = 200) int total,
                                                   @ForAll @IntRange(min = 1, max = 7) int cycles,
                                                   @ForAll @IntRange(max = 400) int step) {
        Span span = new Span(warmup, total);
        for (LearningRate rate : new LearningRate[] {new Linear(PEAK, 1e-6, span), new Cosine(PEAK, 1e-6, span),
            new CosineWithRestarts(PEAK, 1e-6, span, cycles), new ConstantWithWarmup(PEAK, warmup)}) {
            assertThat(rate.at(step)).isBetween(step < warmup ? 0 : 1e-6, PEAK);
        }
    }

    @Test
    void impossibleSettingsAreRefused() {
        assertThatThrownBy(() -> new Constant(Double.NaN)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Cosine(PEAK, 1e-3, HUNDRED)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new CosineWithRestarts(PEAK, 0, HUNDRED, 0))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Span(-1, 10)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Constant(PEAK).at(-1)).isInstanceOf(IllegalArgumentException.class);
    }

    /// @param stepsAndRates step, rate, step, rate, ...
    private static void assertRates(LearningRate rate, double... stepsAndRates) {
        for (int i = 0; i < stepsAndRates.length; i += 2) {
            assertThat(rate.at((long) stepsAndRates[i])).as("step " + (long) stepsAndRates[i])
                    .isCloseTo(stepsAndRates[i + 1], within(1e-12));
        }
    }
}
