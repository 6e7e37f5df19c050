package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import nocturne.io.DType;
import nocturne.tensor.Loss;
import nocturne.tensor.Optimisation;
import nocturne.tensor.Optimisation.AdamW;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The kernels of `kernels/optimisation.cu` against the CPU backend, see [Twins].
class OptimisationTwinTest {
    private static final AdamW SETTINGS = new AdamW(2e-3, 0.9, 0.999, 1e-6, 1e-2);
    /// Bit for bit.
    private static final double SAME = 0;

    /// What a program returns on the CPU, and then in each order of threads. All of the latter must be the same bits,
    /// and within `terms` roundings of double of the former.
    private static void assertSums(List<Double> sums, int terms) {
        double expected = sums.getFirst();
        List<Double> ours = sums.subList(1, sums.size());
        assertThat(ours).hasSize(SimulatedDevice.Order.values().length).containsOnly(ours.getFirst());
        assertThat(ours.getFirst()).isCloseTo(expected, within(terms * 0x1p-53 * expected));
    }

    /// One number; a sample of less than a block's threads; samples of several pieces (4096), the last of them ragged.
    static Stream<Arguments> samples() {
        return Stream.of(new int[] {1, 1, 1}, new int[] {3, 5, 7}, new int[] {2, 70, 64}, new int[] {2, 64, 64},
                        new int[] {1, 3, 1366})
                .flatMap(s -> Stream.of(DType.F32, DType.BF16).map(t -> Arguments.of(t, s[0], s[1], s[2])));
    }

    @ParameterizedTest(name = "{0} {1} samples [{2}, {3}]")
    @MethodSource("samples")
    void theLossIsTheWeightedMeanOfSquares(DType type, int batch, int rows, int columns) {
        compareLosses(Loss.SQUARED, type, batch, rows, columns);
    }

    @ParameterizedTest(name = "{0} {1} samples [{2}, {3}]")
    @MethodSource("samples")
    void otherLossesHaveTheSlopesOfTheCpu(DType type, int batch, int rows, int columns) {
        compareLosses(Loss.ABSOLUTE, type, batch, rows, columns);
        compareLosses(Loss.PSEUDO_HUBER, type, batch, rows, columns);
    }

    private static void compareLosses(Loss kind, DType type, int batch, int rows, int columns) {
        float[] weights = {0.5f, 2, 1.25f};
        int count = batch * rows * columns;
        float[] target = Side.normal("target", count);
        // Close to the prediction as well as far from it, and the same.
        float[] prediction = Side.normal("prediction", count);
        for (int i = 1; i < count; i += 3) prediction[i] = target[i] + 0.01f * prediction[i];
        for (int i = 2; i < count; i += 7) prediction[i] = target[i] = 0.5f;
        List<Double> losses = new ArrayList<>();
        Twins.compare(type, SAME, side -> losses.add(side.backend().optimisation().loss(kind,
                side.given("prediction", prediction, batch * rows, columns),
                side.givenFloats("target", target, batch * rows, columns),
                Arrays.copyOf(weights, batch), 0.75f, side.result("gradient", batch * rows, columns))));
        // Each term of a pseudo-Huber loss is rounded four times, the others are exact.
        assertSums(losses, count + 8);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 31, 256, 4096, 4097, 13_000})
    void squaresAreSummedInDouble(int count) {
        List<Double> sums = new ArrayList<>();
        Twins.compare(DType.BF16, SAME, side ->
                sums.add(side.backend().optimisation().sumOfSquares(side.givenFloats("x", count))));
        assertSums(sums, count);
    }

    /// A float's rounding is far above what double loses: ones too small for a sum in float all count.
    @Test
    void smallSquaresBesideALargeOneAreNotLost() {
        float[] numbers = new float[5000];
        Arrays.fill(numbers, 0x1p-13f);
        numbers[17] = 1;
        Twins.compare(DType.F32, SAME, side -> assertThat(side.backend().optimisation()
                .sumOfSquares(side.givenFloats("x", numbers, numbers.length))).isEqualTo(1 + 4999 * 0x1p-26));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 17, 600})
    void adamWMakesTheBitsOfTheCpu(int count) {
        float[] v = Side.normal("v", count);
        for (int i = 0; i < count; i++) v[i] = i % 7 == 2 ? 0 : v[i] * v[i];
        for (int step : new int[] {1, 2, 1000}) {
            for (float factor : new float[] {1, 0.3f, 0}) {
                Twins.compare(DType.BF16, SAME, side -> side.backend().optimisation().adamW(
                        side.changedFloats("p", count), side.givenFloats("g", count), side.changedFloats("m", count),
                        side.changedFloats("v", v, count), SETTINGS, step, factor));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 17, 600})
    void theAverageMovesAsOnTheCpu(int count) {
        for (float weight : new float[] {0, 0.001f, 1}) {
            Twins.compare(DType.BF16, SAME, side -> side.backend().optimisation().moveTowards(
                    side.changedFloats("average", count), side.givenFloats("value", count), weight));
        }
    }

    /// A slice of many parameters begins anywhere, and its neighbours stay what they are.
    @Test
    void aSpanOfParametersIsUpdatedAlone() {
        Twins.compare(DType.F32, SAME, side -> {
            Optimisation optimisation = side.backend().optimisation();
            Tensor parameters = side.changedFloats("p", 40).slice(3, 30);
            optimisation.adamW(parameters, side.givenFloats("g", 40).slice(5, 30), side.changedFloats("m", 30),
                    side.changedFloats("v", new float[30], 30), SETTINGS, 1, 1);
            optimisation.moveTowards(side.changedFloats("average", 40).slice(1, 30), parameters, 0.5f);
        });
    }

    @Test
    void parametersThatAreNotFloat32AreRefused() {
        try (CudaBackend backend = new CudaBackend(new SimulatedDevice(), DType.BF16);
                TensorArena arena = backend.newArena()) {
            Tensor narrow = arena.allocate(4);
            assertThatThrownBy(() -> backend.optimisation().sumOfSquares(narrow))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("float32 wanted");
            assertThatThrownBy(() -> backend.optimisation().moveTowards(narrow, narrow, 1))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("float32 wanted");
        }
    }
}
