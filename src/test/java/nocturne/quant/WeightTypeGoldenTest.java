package nocturne.quant;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.stream.Stream;
import nocturne.golden.Golden;
import nocturne.io.TensorSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Codes, scales, zero points, packed bytes and the weights that come back, bit for bit as the reference libraries made
/// them from the same weights, stored as fp32 and as bf16.
///
/// The weights hold a row of zeros, rows of one sign, a tiny row, a constant group, an outlier and a ramp.
class WeightTypeGoldenTest {
    /// One format on one file.
    record Case(WeightType type, Rounding rounding, TensorSource golden) {
        private String key(String what) {
            return type.spelling() + "." + what;
        }

        private int rows() {
            return golden.entry("w").shape().get(0).intValue();
        }

        private int columns() {
            return golden.entry("w").shape().get(1).intValue();
        }

        private float[] row(String name, int row) {
            return Arrays.copyOfRange(golden.floats(name), row * columns(), (row + 1) * columns());
        }

        private QuantizedMatrix quantized(Arena memory) {
            float[] weights = golden.floats("w");
            return QuantizedMatrix.quantize("w", type, rounding, rows(), columns(), (row, values) ->
                    System.arraycopy(weights, row * columns(), values, 0, columns()), memory);
        }

        /// The reference divides 0 by 0 in rows of zeros.
        private boolean isUndefinedInReference(int row) {
            boolean divides = type == WeightType.QFLOAT8 || type == WeightType.QINT8;
            return divides && isZero(row("w", row));
        }

        @Override
        public String toString() {
            return type.spelling() + " of " + rounding;
        }
    }

    static Stream<Case> cases() {
        return Stream.of(WeightType.values()).filter(WeightType::isApplied).flatMap(type -> Stream.of(
                new Case(type, Rounding.F32, Golden.tensors("golden2/quant_f32.safetensors")),
                new Case(type, Rounding.BF16, Golden.tensors("golden2/quant_bf16.safetensors"))));
    }

    static Stream<Arguments> groups() {
        return cases().filter(it -> it.type.encoding().hasZeroPoints()).map(Arguments::of);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void scalesAreThoseOfTheReference(Case it) {
        try (Arena memory = Arena.ofConfined()) {
            float[] scales = it.quantized(memory).scales().toArray(ValueLayout.JAVA_FLOAT);
            float[] expected = it.golden.floats(it.key("scale"));
            assertThat(scales).hasSameSizeAs(expected);
            for (int i = 0; i < scales.length; i++) {
                assertThat(scales[i]).as("scale %d", i).isEqualTo(expected[i]);
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void codesAreThoseOfTheReference(Case it) {
        String name = it.golden.has(it.key("bits")) ? it.key("bits") : it.key("q");
        byte[] expected = it.golden.bytes(name).toArray(ValueLayout.JAVA_BYTE);
        RowCodes codes = RowCodes.of(it.type.encoding(), it.columns());
        for (int row = 0; row < it.rows(); row++) {
            if (it.isUndefinedInReference(row)) continue;
            it.type.encoding().encode(it.row("w", row), it.rounding, codes);
            assertThat(codes.codes()).as("row %d", row)
                    .isEqualTo(Arrays.copyOfRange(expected, row * it.columns(), (row + 1) * it.columns()));
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void weightsComeBackAsInTheReference(Case it) {
        try (Arena memory = Arena.ofConfined()) {
            float[] back = new float[it.rows() * it.columns()];
            it.quantized(memory).dequantize(0, it.rows(), MemorySegment.ofArray(back), 0);
            for (int row = 0; row < it.rows(); row++) {
                float[] ours = Arrays.copyOfRange(back, row * it.columns(), (row + 1) * it.columns());
                if (it.isUndefinedInReference(row)) assertThat(isZero(ours)).as("row %d", row).isTrue();
                else assertSameNumbers(row, ours, it.row(it.key("dq"), row));
            }
        }
    }

    /// Minus zero and zero are the same weight; everything else must agree in every bit.
    private static void assertSameNumbers(int row, float[] ours, float[] expected) {
        for (int i = 0; i < ours.length; i++) {
            assertThat(ours[i] + 0f).as("row %d, column %d", row, i).isEqualTo(expected[i] + 0f);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("groups")
    void zeroPointsAndPackedBytesAreThoseOfTheReference(Case it) {
        try (Arena memory = Arena.ofConfined()) {
            QuantizedMatrix matrix = it.quantized(memory);
            byte[] zeroPoints = matrix.zeroPoints().toArray(ValueLayout.JAVA_BYTE);
            int[] expected = it.golden.ints(it.key("zero_point"));
            assertThat(zeroPoints).hasSize(expected.length);
            for (int i = 0; i < expected.length; i++) assertThat((int) zeroPoints[i]).isEqualTo(expected[i]);
            assertThat(matrix.codes().toArray(ValueLayout.JAVA_BYTE))
                    .isEqualTo(it.golden.bytes(it.key("packed")).toArray(ValueLayout.JAVA_BYTE));
        }
    }

    /// What the bf16 arithmetic of the two 8-bit float formats is there for: with it they differ.
    @Test
    void theTwoFloatFormatsDifferInBf16() {
        TensorSource golden = Golden.tensors("golden2/quant_bf16.safetensors");
        Case torchao = new Case(WeightType.FLOAT8, Rounding.BF16, golden);
        Case quanto = new Case(WeightType.QFLOAT8, Rounding.BF16, golden);
        try (Arena memory = Arena.ofConfined()) {
            assertThat(torchao.quantized(memory).codes().mismatch(quanto.quantized(memory).codes())).isNotNegative();
        }
    }

    private static boolean isZero(float[] values) {
        for (float value : values) if (value != 0) return false;
        return true;
    }
}
