package nocturne.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import nocturne.tensor.Attention.Layout;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Attention against its definition: one query at a time, all its scores, no tiles, in double; tolerances by [Bounded].
class AttentionTest {
    private static CpuBackend backend;
    private static TensorArena arena;

    @BeforeAll
    static void start() {
        backend = new CpuBackend(2);
        arena = backend.newArena();
    }

    @AfterAll
    static void stop() {
        arena.close();
        backend.close();
    }

    /// A call and its operands as plain arrays.
    ///
    /// @param visible whether a key counts for anybody; the others get a bias of negative infinity
    private record Call(Layout layout, int headDim, float[] q, float[] k, float[] v, boolean[] visible) {
        static Call of(Layout layout, int headDim, Fill fill, boolean masked) {
            int rows = layout.rows();
            boolean[] visible = new boolean[rows];
            Arrays.fill(visible, true);
            // Every third key is padding, but no sequence loses its last one, so that each has something to see.
            for (int s = 0; masked && s < layout.sequences(); s++) {
                for (int i = layout.bounds()[s]; i < layout.bounds()[s + 1] - 1; i += 3) visible[i] = false;
            }
            return new Call(layout, headDim, fill.numbers(rows * layout.heads() * headDim, 1),
                    fill.numbers(rows * layout.kvHeads() * headDim, 2),
                    fill.numbers(rows * layout.kvHeads() * headDim, 3), visible);
        }

        int rows() {
            return layout.rows();
        }

        int keyHead(int head) {
            return head / (layout.heads() / layout.kvHeads());
        }

        int sequenceOf(int row) {
            int s = 0;
            while (row >= layout.bounds()[s + 1]) s++;
            return s;
        }

        /// The keys a query sees.
        int[] keysOf(int row) {
            int s = sequenceOf(row);
            int end = layout.causal() ? row + 1 : layout.bounds()[s + 1];
            return IntStream.range(layout.bounds()[s], end).filter(j -> visible[j]).toArray();
        }

        Bounded[] query(float[] numbers, int row, int head) {
            int at = (row * layout.heads() + head) * headDim;
            return Bounded.of(Arrays.copyOfRange(numbers, at, at + headDim));
        }

        Bounded[] key(float[] numbers, int row, int head) {
            int at = (row * layout.kvHeads() + keyHead(head)) * headDim;
            return Bounded.of(Arrays.copyOfRange(numbers, at, at + headDim));
        }

        /// The logarithm of the sum of the exponentials of a query's scores, and the scores.
        Row row(int row, int head) {
            int[] keys = keysOf(row);
            Bounded[] scores = new Bounded[keys.length];
            double scale = 1 / Math.sqrt(headDim);
            double max = Double.NEGATIVE_INFINITY;
            for (int j = 0; j < keys.length; j++) {
                // The factor is itself rounded to float32.
                scores[j] = Bounded.dot(query(q, row, head), key(k, keys[j], head))
                        .times(new Bounded(scale, scale * Bounded.HALF_ULP));
                max = Math.max(max, scores[j].value());
            }
            Bounded greatest = Bounded.of(max);
            Bounded[] weights = Arrays.stream(scores).map(s -> s.minus(greatest).exp()).toArray(Bounded[]::new);
            Bounded sum = Bounded.sum(weights);
            return new Row(keys, scores, weights, sum, sum.log().plus(max));
        }

        @Nullable Tensor bias() {
            boolean all = true;
            float[] bias = new float[rows()];
            for (int i = 0; i < bias.length; i++) {
                all &= visible[i];
                if (!visible[i]) bias[i] = Float.NEGATIVE_INFINITY;
            }
            return all ? null : backend.tensor(arena, bias, bias.length);
        }

        Tensor queries(float[] numbers) {
            return backend.tensor(arena, numbers, rows(), layout.heads() * headDim);
        }

        Tensor keys(float[] numbers) {
            return backend.tensor(arena, numbers, rows(), layout.kvHeads() * headDim);
        }
    }

    private record Row(int[] keys, Bounded[] scores, Bounded[] weights, Bounded sum, Bounded logSumExp) {}

    private static Layout lengths(int heads, int kvHeads, boolean causal, int... lengths) {
        int[] bounds = new int[lengths.length + 1];
        for (int s = 0; s < lengths.length; s++) bounds[s + 1] = bounds[s] + lengths[s];
        return new Layout(bounds, heads, kvHeads, causal);
    }

    /// One token; ragged lengths and widths; unequal sequences, one of them empty; shared key heads; masks; and a
    /// sequence longer than one tile of 256 queries.
    static Stream<Arguments> twoWay() {
        return Stream.of(
                Arguments.of(Layout.uniform(1, 1, 1), 4, false), Arguments.of(Layout.uniform(2, 9, 3), 16, false),
                Arguments.of(Layout.uniform(2, 37, 2), 5, true),
                Arguments.of(lengths(2, 2, false, 3, 1, 20, 33), 24, false),
                Arguments.of(lengths(2, 2, false, 5, 0, 18), 8, true),
                Arguments.of(lengths(4, 2, false, 17, 6), 8, false), Arguments.of(lengths(6, 2, false, 21), 10, true),
                Arguments.of(Layout.uniform(1, 300, 1), 16, true));
    }

    static Stream<Arguments> oneWay() {
        return Stream.of(Arguments.of(lengths(1, 1, true, 1), 4, false),
                Arguments.of(lengths(4, 2, true, 19, 7), 8, false), Arguments.of(lengths(6, 1, true, 33), 10, false),
                Arguments.of(lengths(2, 1, true, 290), 16, false));
    }

    static Stream<Arguments> layouts() {
        return Stream.concat(twoWay(), oneWay());
    }

    private static Stream<Call> calls(Layout layout, int headDim, boolean masked) {
        return Stream.of(Fill.values()).map(fill -> Call.of(layout, headDim, fill, masked));
    }

    @ParameterizedTest(name = "{0} of {1}, masked {2}")
    @MethodSource("layouts")
    void theResultIsTheSoftmaxWeightedMeanOfTheValues(Layout layout, int headDim, boolean masked) {
        calls(layout, headDim, masked).forEach(AttentionTest::checkForward);
    }

    private static void checkForward(Call call) {
        int heads = call.layout.heads();
        int width = call.headDim;
        Bounded[] expected = new Bounded[call.q.length];
        Bounded[] logSumExp = new Bounded[heads * call.rows()];
        for (int head = 0; head < heads; head++) {
            for (int r = 0; r < call.rows(); r++) {
                Row row = call.row(r, head);
                logSumExp[head * call.rows() + r] = row.logSumExp;
                for (int c = 0; c < width; c++) {
                    Bounded[] column = new Bounded[row.keys.length];
                    for (int j = 0; j < column.length; j++) column[j] = call.key(call.v, row.keys[j], head)[c];
                    expected[(r * heads + head) * width + c] = Bounded.dot(row.weights, column).over(row.sum);
                }
            }
        }
        try (TensorArena.Scope scope = arena.scope()) {
            Tensor o = call.queries(Fill.nan(call.q.length));
            Tensor lse = backend.tensor(arena, Fill.nan(logSumExp.length), heads, call.rows());
            backend.attention().forward(call.queries(call.q), call.keys(call.k), call.keys(call.v), call.bias(),
                    call.layout, o, lse);
            Bounded.assertAllWithin("o", backend.toArray(o), expected);
            Bounded.assertAllWithin("logSumExp", backend.toArray(lse), logSumExp);
        }
    }

    @ParameterizedTest(name = "{0} of {1}, masked {2}")
    @MethodSource("twoWay")
    void theGradientsFollowTheFormula(Layout layout, int headDim, boolean masked) {
        calls(layout, headDim, masked).forEach(AttentionTest::checkBackward);
    }

    /// With the probabilities P: `dV = P^T dO`, `dS = P (dO V^T - rowsum(dO O)) / sqrt(d)`, `dQ = dS K`, `dK = dS^T Q`.
    private static void checkBackward(Call call) {
        int heads = call.layout.heads();
        int width = call.headDim;
        float[] dO = Fill.RANDOM.numbers(call.q.length, 4);
        Bounded scale = new Bounded(1 / Math.sqrt(width), Bounded.HALF_ULP / Math.sqrt(width));
        Sums dq = new Sums(new float[call.q.length]);
        Sums dk = new Sums(new float[call.k.length]);
        Sums dv = new Sums(new float[call.v.length]);
        for (int head = 0; head < heads; head++) {
            for (int r = 0; r < call.rows(); r++) {
                Row row = call.row(r, head);
                Bounded[] outer = call.query(dO, r, head);
                Bounded[] p = Arrays.stream(row.scores).map(s -> s.minus(row.logSumExp).exp()).toArray(Bounded[]::new);
                Bounded[] toValues = new Bounded[p.length];
                for (int j = 0; j < p.length; j++) {
                    toValues[j] = Bounded.dot(outer, call.key(call.v, row.keys[j], head));
                }
                Bounded delta = delta(call, row, outer, head);
                for (int j = 0; j < p.length; j++) {
                    Bounded slope = toValues[j].minus(delta).times(p[j]).times(scale);
                    Bounded[] query = call.query(call.q, r, head);
                    Bounded[] key = call.key(call.k, row.keys[j], head);
                    int at = (row.keys[j] * call.layout.kvHeads() + call.keyHead(head)) * width;
                    for (int c = 0; c < width; c++) {
                        dq.add((r * heads + head) * width + c, slope.times(key[c]));
                        dk.add(at + c, slope.times(query[c]));
                        dv.add(at + c, p[j].times(outer[c]));
                    }
                }
            }
        }
        try (TensorArena.Scope scope = arena.scope()) {
            Tensor q = call.queries(call.q);
            Tensor k = call.keys(call.k);
            Tensor v = call.keys(call.v);
            Tensor bias = call.bias();
            Tensor o = arena.allocate(q.shape());
            Tensor lse = arena.allocate(heads, call.rows());
            backend.attention().forward(q, k, v, bias, call.layout, o, lse);
            Tensor[] gradients = {call.queries(Fill.nan(call.q.length)), call.keys(Fill.nan(call.k.length)),
                    call.keys(Fill.nan(call.v.length))};
            backend.attention().backward(call.queries(dO), q, k, v, bias, call.layout, o, lse, gradients[0],
                    gradients[1], gradients[2]);
            Bounded.assertAllWithin("dq", backend.toArray(gradients[0]), dq.totals());
            Bounded.assertAllWithin("dk", backend.toArray(gradients[1]), dk.totals());
            Bounded.assertAllWithin("dv", backend.toArray(gradients[2]), dv.totals());
        }
    }

    /// `rowsum(dO O)`.
    private static Bounded delta(Call call, Row row, Bounded[] outer, int head) {
        Bounded[] o = new Bounded[call.headDim];
        for (int c = 0; c < o.length; c++) {
            Bounded[] column = new Bounded[row.keys.length];
            for (int j = 0; j < column.length; j++) column[j] = call.key(call.v, row.keys[j], head)[c];
            o[c] = Bounded.dot(row.weights, column).over(row.sum);
        }
        return Bounded.dot(outer, o);
    }

    /// Whatever a padded key holds: finite numbers, however large, change no bit of any result.
    @Test
    void aMaskedKeyHasNoInfluenceAtAll() {
        Call call = Call.of(Layout.uniform(2, 21, 2), 8, Fill.RANDOM, true);
        float[] otherK = call.k.clone();
        float[] otherV = call.v.clone();
        for (int row = 0; row < call.rows(); row++) {
            if (call.visible[row]) continue;
            Arrays.fill(otherK, row * 16, (row + 1) * 16, 50);
            Arrays.fill(otherV, row * 16, (row + 1) * 16, -3e10f);
        }
        try (TensorArena.Scope scope = arena.scope()) {
            Tensor o = call.queries(call.q);
            Tensor again = call.queries(call.q);
            Tensor lse = arena.allocate(2, call.rows());
            Tensor q = call.queries(call.q);
            backend.attention().forward(q, call.keys(call.k), call.keys(call.v), call.bias(), call.layout, o, lse);
            backend.attention().forward(q, call.keys(otherK), call.keys(otherV), call.bias(), call.layout, again, lse);
            assertThat(backend.toArray(again)).isEqualTo(backend.toArray(o));
        }
    }

    /// The second sequence is all padding.
    @Test
    void aQueryThatSeesNothingGetsZeros() {
        float[] numbers = {1, 2, 3, 4, 5, 6};
        float nothing = Float.NEGATIVE_INFINITY;
        try (TensorArena.Scope scope = arena.scope()) {
            Tensor x = backend.tensor(arena, numbers, 3, 2);
            Tensor bias = backend.tensor(arena, new float[] {0, nothing, nothing}, 3);
            Layout layout = lengths(1, 1, false, 1, 2);
            Tensor o = arena.allocate(3, 2);
            Tensor lse = arena.allocate(1, 3);
            backend.attention().forward(x, x, x, bias, layout, o, lse);
            assertThat(backend.toArray(o)).containsExactly(1, 2, 0, 0, 0, 0);
            assertThat(backend.toArray(lse)).endsWith(Float.POSITIVE_INFINITY, Float.POSITIVE_INFINITY);
            Tensor[] gradients = {arena.allocate(3, 2), arena.allocate(3, 2), arena.allocate(3, 2)};
            backend.attention().backward(x, x, x, x, bias, layout, o, lse, gradients[0], gradients[1], gradients[2]);
            assertThat(backend.toArray(gradients[0])).containsOnly(0);
            assertThat(backend.toArray(gradients[1])).containsOnly(0);
            // The one key of the first sequence is all that its query sees.
            assertThat(backend.toArray(gradients[2])).containsExactly(1, 2, 0, 0, 0, 0);
        }
    }

    /// Scores of several hundred would overflow a softmax that does not subtract the greatest.
    @Test
    void hugeScoresDoNotOverflow() {
        float[] q = {200, 0, 200, 0};
        float[] k = {5, 0, 3, 0};
        float[] v = {1, 2, 3, 4};
        try (TensorArena.Scope scope = arena.scope()) {
            Tensor o = arena.allocate(2, 2);
            Tensor lse = arena.allocate(1, 2);
            backend.attention().forward(backend.tensor(arena, q, 2, 2), backend.tensor(arena, k, 2, 2),
                    backend.tensor(arena, v, 2, 2), null, Layout.uniform(1, 2, 1), o, lse);
            assertThat(backend.toArray(o)).containsExactly(1, 2, 1, 2);
        }
    }

    @Test
    void causalAttentionIsNotTrainedThrough() {
        Call call = Call.of(lengths(1, 1, true, 4), 4, Fill.RANDOM, false);
        try (TensorArena.Scope scope = arena.scope()) {
            Tensor q = call.queries(call.q);
            assertThatThrownBy(() -> backend.attention().backward(q, q, q, q, null, call.layout, q, q, q, q, q))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("causal");
        }
    }
}
