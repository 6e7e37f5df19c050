package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import nocturne.cpu.CpuBackend;
import nocturne.ledger.Ledger;
import nocturne.tensor.Backend;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The averages against the weighted mean they stand for, computed in double from all past values at once.
///
/// Each update rounds three times (the weight, the gap, the sum) by 2^-24 of numbers below `LARGEST` and the errors of
/// earlier updates shrink, so that what remains is below `3 * updates * 2^-24 * LARGEST`.
class MovingAverageTest {
    private static final int UPDATES = 300;
    private static final int PARAMETERS = 19;
    private static final double LARGEST = 3;
    private static final double BOUND = 3 * UPDATES * 0x1p-24 * LARGEST;

    /// Weight `decay^(n - i)` for the value after update i, the start none, divided by the sum of the weights.
    @ParameterizedTest
    @ValueSource(doubles = {0, 0.5, 0.9, 0.99, 0.999, 0.9999})
    @Ledger({"S1-39", "X-04"})
    void correctedItIsTheWeightedMeanOfEverythingTrained(double decay) {
        follow(decay, true, (values, n, parameter) -> {
            double sum = 0;
            double weights = 0;
            for (int i = 1; i <= n; i++) {
                double weight = Math.pow(decay, n - i);
                sum += weight * values[i][parameter];
                weights += weight;
            }
            return sum / weights;
        });
    }

    /// Uncorrected the start keeps the weight `decay^n`, and the value after update i has `(1 - decay) decay^(n - i)`.
    @ParameterizedTest
    @ValueSource(doubles = {0, 0.5, 0.9, 0.99, 0.999, 0.9999, 1})
    void uncorrectedTheStartKeepsItsShare(double decay) {
        follow(decay, false, (values, n, parameter) -> {
            double sum = Math.pow(decay, n) * values[0][parameter];
            for (int i = 1; i <= n; i++) sum += (1 - decay) * Math.pow(decay, n - i) * values[i][parameter];
            return sum;
        });
    }

    private interface Mean {
        /// @param values `[update, parameter]`, the start first
        double of(float[][] values, int n, int parameter);
    }

    private static void follow(double decay, boolean biasCorrection, Mean mean) {
        SplittableRandom random = new SplittableRandom(3);
        float[][] values = new float[UPDATES + 1][PARAMETERS];
        for (float[] row : values) {
            for (int i = 0; i < row.length; i++) row[i] = (float) random.nextDouble(-LARGEST, LARGEST);
        }
        try (Backend backend = new CpuBackend(1); TensorArena arena = backend.newArena()) {
            Tensor parameters = backend.tensor(arena, values[0], PARAMETERS);
            MovingAverage average = new MovingAverage(decay, biasCorrection, parameters, backend, arena);
            assertThat(backend.toArray(average.values())).as("before any update").isEqualTo(values[0]);
            for (int n = 1; n <= UPDATES; n++) {
                backend.write(values[n], parameters);
                average.follow(parameters, n);
                float[] ours = backend.toArray(average.values());
                for (int i = 0; i < PARAMETERS; i++) {
                    assertThat((double) ours[i]).as("update %d, parameter %d", n, i)
                            .isCloseTo(mean.of(values, n, i), within(BOUND));
                }
            }
            assertThat(backend.toArray(parameters)).as("the parameters themselves").isEqualTo(values[UPDATES]);
        }
    }
}
