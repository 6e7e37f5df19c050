package nocturne.cuda;

import static nocturne.cuda.CodeBench.bf16;
import static nocturne.cuda.CodeBench.bytes;
import static nocturne.cuda.CodeBench.floats;
import static nocturne.cuda.CodeBench.inEveryOrder;
import static nocturne.cuda.CodeBench.number;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.SplittableRandom;
import nocturne.io.DType;
import nocturne.io.HalfPrecision;
import nocturne.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// The kernels of `kernels/code_products.cu` and `kernels/quantise.cu` against their definitions, computed here one
/// number at a time.
class CodeProductsTest {
    private static final double FLOAT_ROUNDING = 0x1p-24;
    /// Half a unit of bf16, relative to the smallest number with such a unit.
    private static final double BF16_ROUNDING = 0x1p-8;

    /// One code; less than 16-byte accesses want; ragged tiles; several tiles; more depth than the pipeline is long.
    @ParameterizedTest(name = "{0} [{1}, {3}] by [{2}, {3}]^T")
    @CsvSource({
        "I8, 1, 1, 1", "I8, 7, 33, 16", "I8, 40, 9, 130", "I8, 130, 136, 320", "F8_E4M3, 1, 1, 1",
        "F8_E4M3, 33, 7, 64", "F8_E4M3, 5, 129, 37", "F8_E4M3, 130, 136, 208"
    })
    void codesAreMultipliedAndScaled(DType type, int rows, int columns, int depth) {
        byte[] x = codes(type, "x", rows * depth);
        byte[] w = codes(type, "w", columns * depth);
        float[] xScale = Side.normal("x scale", rows);
        float[] wScale = Side.normal("w scale", columns);
        float[] bias = Side.normal("bias", columns);
        float[] before = Side.normal("before", rows * columns);
        Map<String, MemorySegment> left = inEveryOrder(bench -> {
            Tensor xCodes = bench.codes(type, x, rows, depth);
            Tensor wCodes = bench.codes(type, w, columns, depth);
            Tensor xScales = bench.given(DType.F32, xScale, rows);
            Tensor wScales = bench.given(DType.F32, wScale, columns);
            bench.products().product(xCodes, xScales, wCodes, wScales, bench.given(DType.F32, bias, columns), 0,
                    bench.result("y", DType.F32, rows, columns), false);
            bench.products().product(xCodes, xScales, wCodes, null, null, 0.5f,
                    bench.kept("added", bench.given(DType.BF16, before, rows, columns)), false);
        });
        float[] y = floats(left.get("y"));
        float[] added = bf16(left.get("added"));
        for (int i = 0; i < rows * columns; i++) {
            double sum = 0;
            double magnitudes = 0;
            for (int k = 0; k < depth; k++) {
                double product = (double) number(type, x[i / columns * depth + k])
                        * number(type, w[i % columns * depth + k]);
                sum += product;
                magnitudes += Math.abs(product);
            }
            double scale = xScale[i / columns];
            double weightScale = wScale[i % columns];
            // Each addition may round by half a unit of the largest sum on its way; then there are the scales.
            double error = (depth + 4) * FLOAT_ROUNDING * magnitudes * Math.abs(scale);
            assertThat((double) y[i]).as("y[%d]", i)
                    .isCloseTo(scale * weightScale * sum + bias[i % columns],
                            within(error * Math.abs(weightScale) + 4 * FLOAT_ROUNDING));
            double expected = scale * sum + 0.5 * HalfPrecision.fromBf16(HalfPrecision.toBf16(before[i]));
            assertThat((double) added[i]).as("added[%d]", i)
                    .isCloseTo(expected, within(error + 4 * FLOAT_ROUNDING + BF16_ROUNDING * Math.abs(expected)));
        }
    }

    /// Rows of one number; ragged rows; rows of whole packs, more of them than a block has threads. Bits must agree:
    /// each step is one operation on floats.
    @ParameterizedTest(name = "{0} from {1} [{2}, {3}]")
    @CsvSource({
        "I8, F32, 3, 1", "I8, BF16, 5, 37", "I8, BF16, 3, 64", "I8, F32, 2, 2100", "F8_E4M3, F32, 5, 37",
        "F8_E4M3, BF16, 3, 64", "F8_E4M3, BF16, 2, 2104"
    })
    void rowsAreQuantisedToTheNearestCode(DType type, DType from, int rows, int columns) {
        float[] x = Side.normal("x", rows, columns);
        float[] columnScale = Side.normal("column scale", columns);
        Map<String, MemorySegment> left = inEveryOrder(bench -> {
            Tensor numbers = bench.given(from, x, rows, columns);
            bench.products().quantiseRows(numbers, null, bench.result("codes", type, rows, columns),
                    bench.result("scales", DType.F32, rows));
            bench.products().quantiseRows(numbers, bench.given(DType.F32, columnScale, columns),
                    bench.result("folded codes", type, rows, columns), bench.result("folded scales", DType.F32, rows));
        });
        for (int r = 0; r < rows; r++) {
            float[] row = new float[columns];
            float[] folded = new float[columns];
            for (int c = 0; c < columns; c++) {
                float number = x[r * columns + c];
                row[c] = from == DType.BF16 ? HalfPrecision.fromBf16(HalfPrecision.toBf16(number)) : number;
                folded[c] = row[c] * columnScale[c];
            }
            assertNearest(type, row, r, bytes(left.get("codes")), floats(left.get("scales"))[r]);
            assertNearest(type, folded, r, bytes(left.get("folded codes")), floats(left.get("folded scales"))[r]);
        }
    }

    private static void assertNearest(DType type, float[] row, int r, byte[] codes, float scale) {
        float limit = type == DType.I8 ? 127 : 448;
        float largest = 0;
        for (float number : row) largest = Math.max(largest, Math.abs(number));
        assertThat(scale).as("scale of row %d", r).isEqualTo(largest / limit);
        float inverse = limit / largest;
        for (int c = 0; c < row.length; c++) {
            byte code = codes[r * row.length + c];
            assertThat(code).as("code %d of row %d", c, r).isEqualTo(nearest(type, row[c] * inverse));
        }
    }

    /// The code nearest to a number, of two the even one, found by looking at all; of two zeros the one of its sign.
    private static byte nearest(DType type, float number) {
        byte best = 0;
        double distance = Double.POSITIVE_INFINITY;
        for (int bits = 0; bits < 256; bits++) {
            byte code = (byte) bits;
            float candidate = number(type, code);
            if (Float.isNaN(candidate) || type == DType.I8 && code == -128) continue;
            if (type == DType.F8_E4M3 && Math.signum(1 / candidate) != Math.signum(1 / number)) continue;
            double away = Math.abs((double) candidate - number);
            if (away < distance || away == distance && code % 2 == 0) {
                best = code;
                distance = away;
            }
        }
        return best;
    }

    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"I8", "F8_E4M3"})
    void rowsOfNothingAndOfWhatIsNoNumberShow(DType type) {
        float[] x = new float[4 * 8];
        x[8 + 3] = 1e-38f;
        x[16 + 2] = Float.NaN;
        x[24 + 7] = Float.NEGATIVE_INFINITY;
        Map<String, MemorySegment> left = inEveryOrder(bench -> bench.products().quantiseRows(
                bench.given(DType.BF16, x, 4, 8), null, bench.result("codes", type, 4, 8),
                bench.result("scales", DType.F32, 4)));
        assertThat(floats(left.get("scales"))).containsExactly(0, 0, Float.NaN, Float.NaN);
        assertThat(bytes(left.get("codes"))).containsOnly(0);
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "4, 12", "7, 130", "200, 132", "131, 5"})
    void transposedCodesAreTheSameCodes(int rows, int columns) {
        byte[] codes = codes(DType.I8, "codes", rows * columns);
        Map<String, MemorySegment> left = inEveryOrder(bench -> bench.products().transpose(
                bench.codes(DType.I8, codes, rows, columns), bench.result("transposed", DType.I8, columns, rows)));
        byte[] transposed = bytes(left.get("transposed"));
        for (int i = 0; i < codes.length; i++) {
            int target = i % columns * rows + i / columns;
            assertThat(transposed[target]).as("row %d, column %d", i / columns, i % columns).isEqualTo(codes[i]);
        }
    }

    /// Both directions of a layer from one tensor of weight codes. What the sums are off is the rounding of codes: with
    /// some three standard deviations for the largest code, an int8 is off by 3 / 127 / sqrt(12) of one, under 1 %, and
    /// an e4m3 by at most a sixteenth of itself, 2.6 % on average; both operands add up.
    @ParameterizedTest
    @CsvSource({"I8, 0.015", "F8_E4M3, 0.05"})
    void aLayersProductsSurviveQuantisation(DType type, double bound) {
        int tokens = 40;
        int out = 96;
        int in = 160;
        float[] x = Side.normal("x", tokens, in);
        float[] dy = Side.normal("dy", tokens, out);
        float[] w = Side.normal("w", out, in);
        Map<String, MemorySegment> left = inEveryOrder(bench -> {
            CudaCodeProducts products = bench.products();
            Tensor weight = bench.result("weight", type, out, in);
            Tensor scales = bench.result("weight scales", DType.F32, out);
            products.quantiseRows(bench.given(DType.F32, w, out, in), null, weight, scales);
            Tensor xCodes = bench.result("x", type, tokens, in);
            Tensor xScales = bench.result("x scales", DType.F32, tokens);
            products.quantiseRows(bench.given(DType.BF16, x, tokens, in), null, xCodes, xScales);
            products.product(xCodes, xScales, weight, scales, null, 0, bench.result("y", DType.BF16, tokens, out),
                    false);
            Tensor transposed = bench.result("transposed", type, in, out);
            products.transpose(weight, transposed);
            Tensor dyCodes = bench.result("dy", type, tokens, out);
            Tensor dyScales = bench.result("dy scales", DType.F32, tokens);
            products.quantiseRows(bench.given(DType.BF16, dy, tokens, out), scales, dyCodes, dyScales);
            products.product(dyCodes, dyScales, transposed, null, null, 0,
                    bench.result("dx", DType.BF16, tokens, in), false);
        });
        double[] y = new double[tokens * out];
        double[] dx = new double[tokens * in];
        for (int t = 0; t < tokens; t++) {
            for (int o = 0; o < out; o++) {
                for (int i = 0; i < in; i++) {
                    y[t * out + o] += (double) x[t * in + i] * w[o * in + i];
                    dx[t * in + i] += (double) dy[t * out + o] * w[o * in + i];
                }
            }
        }
        assertThat(relativeError(bf16(left.get("y")), y)).as("y").isBetween(0.001, bound);
        assertThat(relativeError(bf16(left.get("dx")), dx)).as("dx").isBetween(0.001, bound);
    }

    private static double relativeError(float[] ours, double[] expected) {
        double squares = 0;
        double all = 0;
        for (int i = 0; i < ours.length; i++) {
            squares += (ours[i] - expected[i]) * (ours[i] - expected[i]);
            all += expected[i] * expected[i];
        }
        return Math.sqrt(squares / all);
    }

    @Test
    void operandsThatDoNotFitAreRefused() {
        inEveryOrder(bench -> {
            CudaCodeProducts products = bench.products();
            Tensor x = bench.result("x", DType.I8, 3, 4);
            Tensor w = bench.result("w", DType.I8, 5, 4);
            Tensor scales = bench.result("scales", DType.F32, 3);
            Tensor y = bench.result("y", DType.F32, 3, 5);
            assertThatThrownBy(() -> products.product(x, scales, w, scales, null, 0, y, false))
                    .isInstanceOf(IllegalArgumentException.class);
            Tensor other = bench.result("other", DType.F8_E4M3, 5, 4);
            assertThatThrownBy(() -> products.product(x, scales, other, null, null, 0, y, false))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> products.quantiseRows(y, null, x, scales))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> products.quantiseRows(y, null, y, scales))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("I8 or F8_E4M3");
            assertThatThrownBy(() -> products.transpose(x, w)).isInstanceOf(IllegalArgumentException.class);
        });
    }

    private static byte[] codes(DType type, String name, int count) {
        SplittableRandom random = new SplittableRandom(name.hashCode());
        byte[] codes = new byte[count];
        for (int i = 0; i < count; i++) {
            do codes[i] = (byte) random.nextInt();
            while (Float.isNaN(number(type, codes[i])));
        }
        return codes;
    }
}
