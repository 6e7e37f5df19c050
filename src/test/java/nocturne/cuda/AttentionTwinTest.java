package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.stream.Stream;
import nocturne.io.DType;
import nocturne.tensor.Attention.Layout;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// The kernels of `kernels/attention*.cu` against the CPU backend, see [Twins].
class AttentionTwinTest {
    /// Half a unit in the last place of a bf16 between 1 and 2, in those of a float: what rounding a weight does to a
    /// weighted mean of numbers around 1.
    private static final double WEIGHT = 1 << 15;

    /// @param masked every third key of each sequence is padding, but never the first, which everybody sees
    record Call(DType type, int headDim, Layout layout, boolean masked) {
        Call(DType type, int headDim, int heads, int kvHeads, boolean causal, boolean masked, int... lengths) {
            this(type, headDim, new Layout(bounds(lengths), heads, kvHeads, causal), masked);
        }

        private static int[] bounds(int... lengths) {
            int[] bounds = new int[lengths.length + 1];
            for (int s = 0; s < lengths.length; s++) bounds[s + 1] = bounds[s] + lengths[s];
            return bounds;
        }

        int rows() {
            return layout.rows();
        }

        /// Columns of queries and results.
        int width() {
            return layout.heads() * headDim;
        }

        int keyWidth() {
            return layout.kvHeads() * headDim;
        }

        /// A score's sum, then the sum over keys.
        double roundings() {
            return headDim + rows();
        }

        @Nullable Tensor bias(Side side) {
            if (!masked) return null;
            float[] bias = new float[rows()];
            for (int s = 0; s < layout.sequences(); s++) {
                for (int i = layout.bounds()[s] + 1; i < layout.bounds()[s + 1]; i += 3) {
                    bias[i] = Float.NEGATIVE_INFINITY;
                }
            }
            return side.givenFloats("bias", bias, bias.length);
        }

        @Override
        public String toString() {
            return "%s %d x %d/%d of %s%s%s".formatted(type, headDim, layout.heads(), layout.kvHeads(),
                    Arrays.toString(layout.bounds()), layout.causal() ? " causal" : "", masked ? " masked" : "");
        }
    }

    /// Heads narrower than their tiles and as wide; one row, a tile but one, a tile, a tile and one, and several tiles
    /// of each kernel; sequences of different lengths, one of them empty; shared key heads; padding. Float32, and bf16
    /// heads that no 16-byte access fits, take the plain kernels, whose tiles have 16 rows.
    static Stream<Call> twoWay() {
        return Stream.of(
                new Call(DType.F32, 16, 3, 3, false, false, 1, 15, 16, 17),
                new Call(DType.F32, 80, 2, 1, false, true, 0, 33),
                new Call(DType.F32, 5, 4, 2, false, false, 20, 3),
                new Call(DType.F32, 128, 1, 1, false, false, 40),
                new Call(DType.BF16, 10, 2, 2, false, true, 19, 2),
                new Call(DType.BF16, 16, 2, 1, false, true, 1, 63, 0, 64),
                new Call(DType.BF16, 32, 1, 1, false, false, 65),
                new Call(DType.BF16, 40, 3, 1, false, false, 33),
                new Call(DType.BF16, 64, 1, 1, false, true, 200),
                new Call(DType.BF16, 80, 1, 1, false, false, 65, 7),
                new Call(DType.BF16, 128, 1, 1, false, false, 2, 200));
    }

    /// Also the picture encoder's one wide head, and causal masks.
    static Stream<Call> oneWay() {
        return Stream.of(
                new Call(DType.F32, 16, 4, 2, true, false, 19, 33), new Call(DType.F32, 384, 1, 1, false, false, 20),
                new Call(DType.BF16, 384, 1, 1, false, false, 17), new Call(DType.BF16, 16, 4, 2, true, true, 65, 130),
                new Call(DType.BF16, 128, 2, 1, true, false, 140));
    }

    static Stream<Call> calls() {
        return Stream.concat(twoWay(), oneWay());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("calls")
    void theResultIsAWeightedMeanOfValues(Call call) {
        double units = call.type == DType.F32 ? call.roundings() : WEIGHT;
        Twins.compare(call.type, units, side -> forward(call, side, side.result("o", call.rows(), call.width()),
                side.resultFloats("lse", call.layout.heads(), call.rows())));
    }

    /// What the backward pass starts from is a float, and nothing on the way to it is rounded to bf16.
    @ParameterizedTest(name = "{0}")
    @MethodSource("calls")
    void theLogSumExpIsAFloatForAnyType(Call call) {
        Twins.compare(call.type, call.roundings(), side -> {
            try (TensorArena arena = side.backend().newArena()) {
                forward(call, side, arena.allocate(call.rows(), call.width()),
                        side.resultFloats("lse", call.layout.heads(), call.rows()));
            }
        });
    }

    /// Each gradient is a sum over rows of products of a score's, a slope's or a probability's magnitude: up to 4.
    @ParameterizedTest(name = "{0}")
    @MethodSource("twoWay")
    void theGradientsFollowTheFormula(Call call) {
        Twins.compare(call.type, 4 * (call.type == DType.F32 ? 2 * call.roundings() : WEIGHT), side -> {
            int rows = call.rows();
            try (TensorArena arena = side.backend().newArena()) {
                Tensor o = arena.allocate(rows, call.width());
                Tensor logSumExp = arena.allocate(DType.F32, call.layout.heads(), rows);
                Operands in = forward(call, side, o, logSumExp);
                side.backend().attention().backward(side.given("do", rows, call.width()), in.q, in.k, in.v, in.bias,
                        call.layout, o, logSumExp, side.result("dq", rows, call.width()),
                        side.result("dk", rows, call.keyWidth()), side.result("dv", rows, call.keyWidth()));
            }
        });
    }

    private record Operands(Tensor q, Tensor k, Tensor v, @Nullable Tensor bias) {}

    private static Operands forward(Call call, Side side, Tensor o, Tensor logSumExp) {
        Operands in = new Operands(side.given("q", call.rows(), call.width()),
                side.given("k", call.rows(), call.keyWidth()), side.given("v", call.rows(), call.keyWidth()),
                call.bias(side));
        side.backend().attention().forward(in.q, in.k, in.v, in.bias, call.layout, o, logSumExp);
        return in;
    }

    /// Scores of hundreds, that rise from tile to tile, fall, or do both: no power overflows, and what was summed up
    /// before the greatest score came is worth less afterwards.
    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F32", "BF16"})
    void scoresMayRiseAndFallByHundreds(DType type) {
        int rows = 200;
        int width = 16;
        float[] q = new float[rows * width];
        float[] k = new float[rows * width];
        for (int r = 0; r < rows; r++) {
            // Of the queries, one looks at what rises, the next at what falls, the third at what does both.
            q[r * width + r % 3] = 4;
            k[r * width] = r;
            k[r * width + 1] = -r;
            k[r * width + 2] = 100 - Math.abs(r - 100);
        }
        // Scores of hundreds have units in the last place of 2^-15.
        Twins.compare(type, type == DType.F32 ? 1 << 10 : WEIGHT, side -> side.backend().attention()
                .forward(side.given("q", q, rows, width), side.given("k", k, rows, width), side.given("v", rows, width),
                        null, Layout.uniform(1, rows, 1), side.result("o", rows, width),
                        side.resultFloats("lse", 1, rows)));
    }

    /// All scores are about -256. If a key behind the end had a score of 0, its probability would be e^256.
    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F32", "BF16"})
    void scoresMayLieFarBelowZero(DType type) {
        int rows = 70;
        int width = 16;
        float[] q = Side.normal("q", rows, width);
        float[] k = Side.normal("k", rows, width);
        for (int i = 0; i < rows * width; i++) {
            if (i % 2 == 0) q[i] = -16;
            if (i % 2 == 0) k[i] = 8;
        }
        // Of magnitude 16, and exponents of 256.
        Twins.compare(type, type == DType.F32 ? 1 << 12 : 16 * WEIGHT, side -> {
            Layout layout = Layout.uniform(1, rows, 1);
            Tensor queries = side.given("q", q, rows, width);
            Tensor keys = side.given("k", k, rows, width);
            Tensor values = side.given("v", rows, width);
            Tensor o = side.result("o", rows, width);
            Tensor logSumExp = side.resultFloats("lse", 1, rows);
            side.backend().attention().forward(queries, keys, values, null, layout, o, logSumExp);
            side.backend().attention().backward(side.given("do", rows, width), queries, keys, values, null, layout, o,
                    logSumExp, side.result("dq", rows, width), side.result("dk", rows, width),
                    side.result("dv", rows, width));
        });
    }

    /// The second sequence is all padding: zeros, no NaN, and the first sequence does not notice.
    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F32", "BF16"})
    void aQueryThatSeesNothingGetsZeros(DType type) {
        Call call = new Call(type, 16, 1, 1, false, false, 20, 70, 3);
        float[] bias = new float[call.rows()];
        Arrays.fill(bias, 20, 90, Float.NEGATIVE_INFINITY);
        float[][] withPadding = gradients(call, bias);
        float[][] without = gradients(call, new float[bias.length]);
        for (int i = 0; i < withPadding.length; i++) {
            float[] expected = without[i].clone();
            // Of the log-sum-exp, a row is a column.
            int width = expected.length / call.rows();
            Arrays.fill(expected, 20 * width, 90 * width, width == 1 ? Float.POSITIVE_INFINITY : 0);
            assertThat(withPadding[i]).as("tensor %d", i).isEqualTo(expected);
        }
    }

    /// On both sides.
    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F32", "BF16"})
    void twinsAgreeOnAQueryThatSeesNothing(DType type) {
        Call call = new Call(type, 16, 2, 1, false, false, 20, 70, 3);
        float[] padding = new float[call.rows()];
        Arrays.fill(padding, 20, 90, Float.NEGATIVE_INFINITY);
        Twins.compare(type, 4 * (type == DType.F32 ? 2 * call.roundings() : WEIGHT), side -> {
            Tensor bias = side.givenFloats("bias", padding, padding.length);
            Tensor q = side.given("q", call.rows(), call.width());
            Tensor k = side.given("k", call.rows(), call.keyWidth());
            Tensor v = side.given("v", call.rows(), call.keyWidth());
            Tensor o = side.result("o", call.rows(), call.width());
            Tensor logSumExp = side.resultFloats("lse", 2, call.rows());
            side.backend().attention().forward(q, k, v, bias, call.layout, o, logSumExp);
            side.backend().attention().backward(side.given("do", call.rows(), call.width()), q, k, v, bias,
                    call.layout, o, logSumExp, side.result("dq", call.rows(), call.width()),
                    side.result("dk", call.rows(), call.keyWidth()), side.result("dv", call.rows(), call.keyWidth()));
        });
    }

    /// Whatever a padded key holds: finite numbers, however large, change no bit of any result.
    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F32", "BF16"})
    void aMaskedKeyHasNoInfluenceAtAll(DType type) {
        Call call = new Call(type, 16, 1, 1, false, false, 70);
        float[] bias = new float[call.rows()];
        for (int row = 0; row < bias.length; row += 3) bias[row] = Float.NEGATIVE_INFINITY;
        float[] k = Side.normal("k", call.rows(), 16);
        float[] v = Side.normal("v", call.rows(), 16);
        float[][] expected = gradients(call, bias, k, v);
        for (int row = 0; row < bias.length; row += 3) {
            Arrays.fill(k, row * 16, (row + 1) * 16, 50);
            Arrays.fill(v, row * 16, (row + 1) * 16, -3e10f);
        }
        assertThat(gradients(call, bias, k, v)).isDeepEqualTo(expected);
    }

    private static float[][] gradients(Call call, float[] bias) {
        return gradients(call, bias, Side.normal("k", call.rows(), call.width()),
                Side.normal("v", call.rows(), call.width()));
    }

    /// @return o, log-sum-exp, dq, dk, dv on CUDA
    private static float[][] gradients(Call call, float[] bias, float[] keys, float[] values) {
        int rows = call.rows();
        int width = call.width();
        try (CudaBackend backend = new CudaBackend(new SimulatedDevice(), call.type);
                TensorArena arena = backend.newArena()) {
            Tensor q = backend.tensor(arena, Side.normal("q", rows, width), rows, width);
            Tensor k = backend.tensor(arena, keys, rows, width);
            Tensor v = backend.tensor(arena, values, rows, width);
            Tensor dO = backend.tensor(arena, Side.normal("do", rows, width), rows, width);
            Tensor keyBias = backend.floats(arena, bias, rows);
            Tensor o = arena.allocate(rows, width);
            Tensor logSumExp = arena.allocate(DType.F32, 1, rows);
            backend.attention().forward(q, k, v, keyBias, call.layout, o, logSumExp);
            Tensor dq = arena.allocate(rows, width);
            Tensor dk = arena.allocate(rows, width);
            Tensor dv = arena.allocate(rows, width);
            backend.attention().backward(dO, q, k, v, keyBias, call.layout, o, logSumExp, dq, dk, dv);
            return Stream.of(o, logSumExp, dq, dk, dv).map(backend::toArray).toArray(float[][]::new);
        }
    }

    /// Tensor cores want addresses that are multiples of 16 bytes; these tensors begin one element behind such a one.
    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F32", "BF16"})
    void aTensorMayBeginAnywhere(DType type) {
        Call call = new Call(type, 16, 1, 1, false, false, 20);
        Twins.compare(type, type == DType.F32 ? 4 * call.roundings() : 4 * WEIGHT, side -> {
            Tensor all = side.given("all", 10, 20, 16);
            Tensor out = side.changed("out", 10, 20, 16);
            Tensor[] in = new Tensor[4];
            Tensor[] results = new Tensor[4];
            for (int i = 0; i < 4; i++) {
                in[i] = all.slice(640 * i + 1, 20, 16);
                results[i] = out.slice(640 * i + 1, 20, 16);
            }
            Tensor logSumExp = side.resultFloats("lse", 1, 20);
            side.backend().attention().forward(in[0], in[1], in[2], null, call.layout, results[0], logSumExp);
            side.backend().attention().backward(in[3], in[0], in[1], in[2], null, call.layout, results[0], logSumExp,
                    results[1], results[2], results[3]);
        });
    }

    /// The device keeps the bounds of the last call; these differ in number, in content, and in the same array.
    @Test
    void eachCallIsDividedByItsOwnBounds() {
        Twins.compare(DType.F32, 64, side -> {
            Tensor q = side.given("q", 12, 16);
            int[][] calls = {{0, 12}, {0, 5, 12}, {0, 7, 12}, {0, 12}};
            int[] shared = new int[3];
            for (int i = 0; i < calls.length; i++) {
                int[] bounds = calls[i].length == 3 ? shared : calls[i];
                System.arraycopy(calls[i], 0, bounds, 0, bounds.length);
                side.backend().attention().forward(q, q, q, null, new Layout(bounds, 1, 1, false),
                        side.result("o" + i, 12, 16), side.resultFloats("lse" + i, 1, 12));
            }
        });
    }

    @Test
    void causalAttentionIsNotTrainedThrough() {
        try (CudaBackend backend = new CudaBackend(new SimulatedDevice(), DType.BF16);
                TensorArena arena = backend.newArena()) {
            Tensor x = arena.allocate(4, 16);
            Layout causal = new Layout(new int[] {0, 4}, 1, 1, true);
            assertThatThrownBy(() -> backend.attention().backward(x, x, x, x, null, causal, x, x, x, x, x))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("causal");
        }
    }

    @Test
    void aHeadTooWideForSharedMemoryIsRefused() {
        try (CudaBackend backend = new CudaBackend(new SimulatedDevice(), DType.F32);
                TensorArena arena = backend.newArena()) {
            Tensor x = arena.allocate(4, 640);
            Tensor logSumExp = arena.allocate(DType.F32, 1, 4);
            Layout layout = Layout.uniform(1, 4, 1);
            assertThatThrownBy(() -> backend.attention().forward(x, x, x, null, layout, x, logSumExp))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("640 numbers");
        }
    }
}
