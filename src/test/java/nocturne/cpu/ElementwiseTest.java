package nocturne.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Stream;
import nocturne.tensor.Elementwise;
import nocturne.tensor.RowMap;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Operations that touch each number once, against their formulas in double; tolerances by [Bounded]. Those that only
/// frozen networks use are in [FrozenKernelsTest].
class ElementwiseTest {
    private static final int PARTS = 6;

    private static CpuBackend backend;
    private static Elementwise elementwise;
    private static TensorArena arena;

    @BeforeAll
    static void start() {
        backend = new CpuBackend(2);
        elementwise = backend.elementwise();
        arena = backend.newArena();
    }

    @AfterAll
    static void stop() {
        arena.close();
        backend.close();
    }

    /// One number, ragged columns, and more rows than one piece (16384 numbers) holds.
    static Stream<Arguments> matrices() {
        int[][] sizes = {{1, 1}, {1, 16}, {3, 5}, {7, 33}, {2500, 17}, {1, 20_001}};
        return Stream.of(sizes).flatMap(s -> Stream.of(Fill.values()).map(fill -> Arguments.of(s[0], s[1], fill)));
    }

    @ParameterizedTest(name = "[{0}, {1}] {2}")
    @MethodSource("matrices")
    void fillCopyAndAddScaled(int rows, int columns, Fill fill) {
        float[] x = fill.numbers(rows * columns, 1);
        float[] before = fill.numbers(rows * columns, 2);
        try (TensorArena.Scope scope = arena.scope()) {
            Tensor xTensor = backend.tensor(arena, x, rows, columns);
            Tensor y = backend.tensor(arena, Fill.nan(x.length), rows, columns);
            for (float value : new float[] {0, -2.5f}) {
                elementwise.fill(y, value);
                assertThat(backend.toArray(y)).containsOnly(value);
            }
            elementwise.copy(xTensor, y);
            assertThat(backend.toArray(y)).isEqualTo(x);
            backend.write(before, y);
            elementwise.addScaled(xTensor, -1.75f, y);
            Bounded[] expected = new Bounded[x.length];
            for (int i = 0; i < x.length; i++) expected[i] = Bounded.of(x[i]).times(-1.75).plus(before[i]);
            Bounded.assertAllWithin("y", backend.toArray(y), expected);
        }
    }

    /// Neighbours in memory must not be touched by a ragged end.
    @Test
    void aViewsNeighboursStayAsTheyAre() {
        try (TensorArena.Scope scope = arena.scope()) {
            Tensor all = backend.tensor(arena, Fill.nan(5 * 7), 5, 7);
            Tensor x = backend.tensor(arena, Fill.RANDOM.numbers(3 * 7, 1), 3, 7);
            Tensor part = all.rowRange(1, 3);
            elementwise.fill(part, 2);
            elementwise.addScaled(x, 1, part);
            elementwise.silu(part, part);
            elementwise.geluTanh(part, part);
            float[] numbers = backend.toArray(all);
            assertThat(Arrays.copyOfRange(numbers, 7, 28)).doesNotContain(Float.NaN);
            assertThat(Arrays.copyOfRange(numbers, 0, 7)).containsOnly(Float.NaN);
            assertThat(Arrays.copyOfRange(numbers, 28, 35)).containsOnly(Float.NaN);
        }
    }

    static Stream<Arguments> maps() {
        return Stream.of(
                        Arguments.of(RowMap.perSample(1, 1), 1), Arguments.of(RowMap.perSample(2, 3), 5),
                        Arguments.of(RowMap.perSample(3, 70), 33), Arguments.of(RowMap.perSample(1, 1100), 17),
                        Arguments.of(new RowMap(2, 7, 4, 2), 19), Arguments.of(new RowMap(2, 150, 65, 2), 48),
                        Arguments.of(new RowMap(2, 5, 0, 2), 8))
                .flatMap(a -> Stream.of(Fill.values()).map(fill -> Arguments.of(a.get()[0], a.get()[1], fill)));
    }

    @ParameterizedTest(name = "{0} {1} columns {2}")
    @MethodSource("maps")
    void theGateScalesWhatIsAddedAndCollectsItsGradient(RowMap map, int columns, Fill fill) {
        int rows = map.batch() * map.rows();
        int modulationRows = map.batch() + (map.split() < map.rows() ? 1 : 0);
        float[] x = fill.numbers(rows * columns, 1);
        float[] y = fill.numbers(rows * columns, 2);
        float[] modulation = fill.numbers(modulationRows * PARTS * columns, 3);
        float[] dOut = Fill.RANDOM.numbers(rows * columns, 4);
        float[] dmBefore = fill.numbers(modulation.length, 5);
        for (int part : new int[] {0, 2, 5}) {
            Bounded[] out = new Bounded[x.length];
            Bounded[] dy = new Bounded[x.length];
            Sums dm = new Sums(dmBefore);
            for (int i = 0; i < x.length; i++) {
                int row = i / columns;
                int gate = (map.modulationRow(row / map.rows(), row % map.rows()) * PARTS + part) * columns
                        + i % columns;
                out[i] = Bounded.of(modulation[gate]).times(y[i]).plus(x[i]);
                dy[i] = Bounded.of(dOut[i]).times(modulation[gate]);
                dm.add(gate, Bounded.of(dOut[i]).times(y[i]));
            }
            try (TensorArena.Scope scope = arena.scope()) {
                Tensor xTensor = backend.tensor(arena, x, rows, columns);
                Tensor yTensor = backend.tensor(arena, y, rows, columns);
                Tensor mTensor = backend.tensor(arena, modulation, modulationRows, PARTS * columns);
                Tensor outTensor = backend.tensor(arena, Fill.nan(x.length), rows, columns);
                elementwise.gatedResidual(xTensor, yTensor, mTensor, part, map, outTensor);
                Bounded.assertAllWithin("out", backend.toArray(outTensor), out);
                Tensor dyTensor = backend.tensor(arena, Fill.nan(x.length), rows, columns);
                Tensor dmTensor = backend.tensor(arena, dmBefore, modulationRows, PARTS * columns);
                elementwise.gatedResidualBackward(backend.tensor(arena, dOut, rows, columns), yTensor, mTensor, part,
                        map, dyTensor, dmTensor);
                Bounded.assertAllWithin("dy", backend.toArray(dyTensor), dy);
                Bounded.assertAllWithin("dmodulation", backend.toArray(dmTensor), dm.totals());
            }
        }
    }

    /// Ordinary numbers and some at which an exponential overflows, a tanh is 1, or everything vanishes.
    private static float[] withExtremes(int count, Fill fill) {
        float[] numbers = fill.numbers(count, 1);
        float[] extremes = {0, -0f, 1e-20f, 4, -4, 9, -9, 12, -12, 30, -30, 88, -88, 100, -100, 1e4f, -1e4f};
        for (int i = 0; i < numbers.length; i++) {
            if (i % 3 == 1) numbers[i] = extremes[i / 3 % extremes.length];
        }
        return numbers;
    }

    private static Bounded inner(float x) {
        Bounded square = Bounded.of(x).times(x);
        return square.times(0.044715f).plus(1).times(x).times(Math.sqrt(2 / Math.PI));
    }

    @ParameterizedTest(name = "[{0}, {1}] {2}")
    @MethodSource("matrices")
    void geluIsTheTanhFormAndItsGradientTheDerivative(int rows, int columns, Fill fill) {
        float[] x = withExtremes(rows * columns, fill);
        float[] dy = Fill.RANDOM.numbers(x.length, 2);
        Bounded[] y = new Bounded[x.length];
        Bounded[] dx = new Bounded[x.length];
        for (int i = 0; i < x.length; i++) {
            Bounded h = inner(x[i]).tanh();
            y[i] = Bounded.of(x[i]).times(0.5).times(h.plus(1));
            Bounded innerSlope = Bounded.of(x[i]).times(x[i]).times(3 * 0.044715f).plus(1)
                    .times(Math.sqrt(2 / Math.PI));
            Bounded bend = Bounded.of(1).minus(h.times(h)).times(x[i]).times(innerSlope);
            dx[i] = h.plus(1).plus(bend).times(0.5).times(dy[i]);
            if (Math.abs(x[i]) <= 12) continue;
            // Far out tanh is 1 to the last bit, and so must the results be: the identity, or nothing.
            y[i] = Bounded.of(Math.max(x[i], 0));
            dx[i] = Bounded.of(x[i] > 0 ? dy[i] : 0);
        }
        try (TensorArena.Scope scope = arena.scope()) {
            Tensor xTensor = backend.tensor(arena, x, rows, columns);
            Tensor yTensor = backend.tensor(arena, Fill.nan(x.length), rows, columns);
            elementwise.geluTanh(xTensor, yTensor);
            Bounded.assertAllWithin("y", backend.toArray(yTensor), y);
            Tensor dyTensor = backend.tensor(arena, dy, rows, columns);
            Tensor dxTensor = backend.tensor(arena, Fill.nan(x.length), rows, columns);
            elementwise.geluTanhBackward(dyTensor, xTensor, dxTensor);
            Bounded.assertAllWithin("dx", backend.toArray(dxTensor), dx);
            elementwise.geluTanhBackward(dyTensor, xTensor, dyTensor);
            assertThat(backend.toArray(dyTensor)).as("in place").isEqualTo(backend.toArray(dxTensor));
        }
    }

    @ParameterizedTest(name = "[{0}, {1}] {2}")
    @MethodSource("matrices")
    void siluIsTheSigmoidWeightedInput(int rows, int columns, Fill fill) {
        float[] x = withExtremes(rows * columns, fill);
        Bounded[] expected = new Bounded[x.length];
        for (int i = 0; i < x.length; i++) {
            // Below -87 the exponential saturates; the result is smaller than any that matters.
            expected[i] = x[i] < -87
                    ? new Bounded(0, 1e-33)
                    : Bounded.of(x[i]).over(Bounded.of(-x[i]).exp().plus(1));
        }
        try (TensorArena.Scope scope = arena.scope()) {
            Tensor y = backend.tensor(arena, Fill.nan(x.length), rows, columns);
            elementwise.silu(backend.tensor(arena, x, rows, columns), y);
            Bounded.assertAllWithin("y", backend.toArray(y), expected);
        }
    }

    /// The exponential and its kin keep their accuracy over the whole range, not only where networks live.
    @Test
    void theExponentialIsWithinTwoUnitsInTheLastPlace() {
        int count = 200_000;
        float[] x = new float[count];
        for (int i = 0; i < count; i++) x[i] = -87 + 175f * i / count;
        // silu(x) of a large negative x is x e^x / (1 + e^x): the error of the exponential shows in full.
        DoubleUnaryOperator silu = v -> v / (1 + Math.exp(-v));
        try (TensorArena.Scope scope = arena.scope()) {
            Tensor y = arena.allocate(count);
            elementwise.silu(backend.tensor(arena, x, count), y);
            float[] ours = backend.toArray(y);
            double worst = 0;
            for (int i = 0; i < count; i++) {
                double exact = silu.applyAsDouble(x[i]);
                if (exact != 0) worst = Math.max(worst, Math.abs(ours[i] - exact) / Math.abs(exact));
            }
            // Two units of the exponential, half of one for the addition, half for the division.
            assertThat(worst).isLessThan(3 * 0x1p-23);
        }
    }

    @Test
    void rowsArePlacedInAndTakenFromEachSample() {
        int batch = 3;
        int rows = 4;
        int jointRows = 9;
        int columns = 5;
        float[] part = Fill.RANDOM.numbers(batch * rows * columns, 1);
        for (int offset = 0; offset <= jointRows - rows; offset++) {
            float[] expected = Fill.nan(batch * jointRows * columns);
            for (int b = 0; b < batch; b++) {
                System.arraycopy(part, b * rows * columns, expected, (b * jointRows + offset) * columns,
                        rows * columns);
            }
            try (TensorArena.Scope scope = arena.scope()) {
                Tensor joint = backend.tensor(arena, Fill.nan(expected.length), batch * jointRows, columns);
                elementwise.placeRows(backend.tensor(arena, part, batch * rows, columns), batch, offset, joint);
                assertThat(backend.toArray(joint)).isEqualTo(expected);
                Tensor taken = backend.tensor(arena, Fill.nan(part.length), batch * rows, columns);
                elementwise.takeRows(joint, batch, offset, taken);
                assertThat(backend.toArray(taken)).isEqualTo(part);
            }
        }
    }
}
