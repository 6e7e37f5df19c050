package nocturne.cuda;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.stream.Stream;
import nocturne.io.DType;
import nocturne.io.HalfPrecision;
import nocturne.quant.QuantizedMatrix;
import nocturne.quant.Rounding;
import nocturne.quant.WeightType;
import nocturne.tensor.Products;
import nocturne.tensor.TensorArena;
import nocturne.tensor.Weight;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// What a device keeps as codes means the same numbers, to the bit, as on the CPU.
class CodedWeightTest {
    private static final int ROWS = 9;
    private static final int COLUMNS = 128;
    /// Equal bits. In bf16, what float32 weights mean is rounded once more.
    private static final double EXACT = 0;

    static Stream<Arguments> formats() {
        return Stream.of(WeightType.values()).filter(WeightType::isApplied).flatMap(type ->
                Stream.of(Rounding.values()).flatMap(rounding -> Stream.of(DType.F32, DType.BF16)
                        .map(activations -> Arguments.of(type, rounding, activations))));
    }

    /// Products with a unit matrix have the numbers themselves as results.
    @ParameterizedTest(name = "{0} of {1} weights, {2} activations")
    @MethodSource("formats")
    void theNumbersAreTheSame(WeightType type, Rounding rounding, DType activations) {
        compare(type, rounding, activations, ROWS, COLUMNS);
    }

    /// Rows that no wide access fits.
    @ParameterizedTest(name = "{0} of {1} weights, {2} activations")
    @MethodSource("formats")
    void narrowRowsToo(WeightType type, Rounding rounding, DType activations) {
        if (type.fits(11)) compare(type, rounding, activations, 3, 11);
    }

    private static void compare(WeightType type, Rounding rounding, DType activations, int rows, int columns) {
        Twins.compare(activations, EXACT, side -> {
            try (Arena memory = Arena.ofConfined(); TensorArena weights = side.backend().newArena()) {
                Weight weight = side.backend().keep(matrix(type, rounding, rows, columns, memory), weights);
                Products products = side.backend().products();
                products.linear(side.given("x", unit(columns), columns, columns), weight, null,
                        side.result("transposed", columns, rows));
                products.linearBackward(side.given("dy", unit(rows), rows, rows), weight, 0,
                        side.result("numbers", rows, columns));
            }
        });
    }

    /// With a row of zeros, and an outlier that makes its neighbours small.
    private static QuantizedMatrix matrix(WeightType type, Rounding rounding, int rows, int columns, Arena memory) {
        float[] weights = Side.normal("w", rows, columns);
        for (int i = 0; i < weights.length; i++) {
            weights[i] *= 0.02f;
            if (rounding == Rounding.BF16) weights[i] = HalfPrecision.fromBf16(HalfPrecision.toBf16(weights[i]));
        }
        Arrays.fill(weights, columns, 2 * columns, 0);
        weights[5] = 3;
        return QuantizedMatrix.quantize("w", type, rounding, rows, columns, (row, values) ->
                System.arraycopy(weights, row * columns, values, 0, columns), memory);
    }

    private static float[] unit(int size) {
        float[] matrix = new float[size * size];
        for (int i = 0; i < size; i++) matrix[i * size + i] = 1;
        return matrix;
    }
}
