package nocturne.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import nocturne.report.LossHistory.HeldOut;
import nocturne.report.LossHistory.Training;
import org.junit.jupiter.api.Test;

class LossHistoryTest {

    @Test
    void theCsvHasALineForEachStepAtWhichAnythingWasMeasured() {
        LossHistory history = new LossHistory(
                List.of(new Training(1, 0.5, 1e-3, new LossHistory.ByNoise(0.75, Double.NaN, 0.25)),
                        new Training(2, Double.NaN, 0.0009), new Training(3, 0.25, 8e-4)),
                List.of(new HeldOut(0, 0.75), new HeldOut(2, 0.625)));
        assertThat(history.csv()).isEqualTo("""
                step,training_loss,smoothed_loss,learning_rate,held_out_loss,high_noise_loss,middle_noise_loss,\
                low_noise_loss
                0,,,,0.75,,,
                1,0.5,0.5,0.001,,0.75,,0.25
                2,NaN,NaN,9.0E-4,0.625,,,
                3,0.25,0.25,8.0E-4,,,,
                """);
    }

    /// A straight line is its own centred mean, away from the ends; a lagging mean would be beside it.
    @Test
    void smoothingDoesNotLag() {
        double[] smoothed = history(500, i -> 1 - i / 1000.0).smoothed();
        for (int i = 10; i < 490; i++) assertThat(smoothed[i]).isCloseTo(1 - i / 1000.0, within(1e-12));
    }

    @Test
    void oneBrokenLossDoesNotSpoilItsNeighbours() {
        double[] smoothed = history(500,
                i -> i == 250 ? Double.NaN : i == 251 ? Double.POSITIVE_INFINITY : 0.5).smoothed();
        assertThat(smoothed).containsOnly(0.5);
    }

    @Test
    void theLowestHeldOutLossIsTheEarlierOfTwoEqualsAndNeverNaN() {
        List<HeldOut> measured = List.of(new HeldOut(0, Double.NaN), new HeldOut(10, 0.5), new HeldOut(20, 0.4),
                new HeldOut(30, 0.4), new HeldOut(40, 0.6));
        assertThat(new LossHistory(List.of(), measured).lowestHeldOut()).contains(new HeldOut(20, 0.4));
        assertThat(new LossHistory(List.of(), List.of()).lowestHeldOut()).isEmpty();
    }

    @Test
    void refusesStepsOutOfOrder() {
        assertThatThrownBy(() -> new LossHistory(List.of(new Training(2, 1, 1), new Training(2, 1, 1)), List.of()))
                .isInstanceOf(IllegalArgumentException.class);
    }

    static LossHistory history(int count, IntToDoubleFunction loss) {
        return new LossHistory(IntStream.range(0, count)
                .mapToObj(i -> new Training(i + 1, loss.applyAsDouble(i), 1e-4)).toList(), List.of());
    }
}
