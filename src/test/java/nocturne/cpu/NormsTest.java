package nocturne.cpu;

import java.util.Arrays;
import java.util.stream.Stream;
import nocturne.tensor.RowMap;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Normalisations and their gradients against the formulas in double, with tolerances by [Bounded]. That the formulas
/// are the derivatives is checked by differences in `OpsGradientTest`.
class NormsTest {
    private static final float EPS = 1e-6f;
    private static final int PARTS = 6;

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

    /// One row, ragged columns, more rows than one piece (16384 numbers) or one run of tokens (64) holds; and samples
    /// whose tail takes a shared modulation row.
    static Stream<Arguments> maps() {
        return Stream.of(
                        Arguments.of(RowMap.perSample(1, 1), 1), Arguments.of(RowMap.perSample(1, 1), 16),
                        Arguments.of(RowMap.perSample(2, 3), 5), Arguments.of(RowMap.perSample(3, 70), 33),
                        Arguments.of(RowMap.perSample(1, 600), 17), Arguments.of(new RowMap(2, 7, 4, 2), 19),
                        Arguments.of(new RowMap(2, 150, 65, 2), 48), Arguments.of(new RowMap(2, 5, 0, 2), 8))
                .flatMap(a -> Stream.of(Fill.values()).map(fill -> Arguments.of(a.get()[0], a.get()[1], fill)));
    }

    private record LayerNorm(Bounded[] y, Bounded[] hat, Bounded[] mean, Bounded[] rstd) {
        /// `hat = (x - mean) / sqrt(var + eps)`, `y = hat (1 + scale) + shift`.
        static LayerNorm of(float[] x, float[] modulation, int shiftPart, int scalePart, RowMap map, int columns) {
            int rows = map.batch() * map.rows();
            LayerNorm result = new LayerNorm(new Bounded[x.length], new Bounded[x.length], new Bounded[rows],
                    new Bounded[rows]);
            for (int r = 0; r < rows; r++) {
                Bounded[] row = Bounded.of(Arrays.copyOfRange(x, r * columns, (r + 1) * columns));
                Bounded mean = Bounded.sum(row).over(columns);
                Bounded[] centred = Arrays.stream(row).map(v -> v.minus(mean)).toArray(Bounded[]::new);
                Bounded rstd = Bounded.dot(centred, centred).over(columns).plus(EPS).reciprocalRoot();
                result.mean[r] = mean;
                result.rstd[r] = rstd;
                int at = map.modulationRow(r / map.rows(), r % map.rows()) * PARTS * columns;
                for (int c = 0; c < columns; c++) {
                    Bounded hat = centred[c].times(rstd);
                    result.hat[r * columns + c] = hat;
                    result.y[r * columns + c] =
                            hat.times(Bounded.of(modulation[at + scalePart * columns + c]).plus(1))
                                    .plus(modulation[at + shiftPart * columns + c]);
                }
            }
            return result;
        }
    }

    private static int modulationRows(RowMap map) {
        return map.batch() + (map.split() < map.rows() ? 1 : 0);
    }

    @ParameterizedTest(name = "{0} {1} columns {2}")
    @MethodSource("maps")
    void layerNormIsCentredScaledAndModulated(RowMap map, int columns, Fill fill) {
        int rows = map.batch() * map.rows();
        float[] x = fill.numbers(rows * columns, 1);
        float[] modulation = fill.numbers(modulationRows(map) * PARTS * columns, 2);
        for (int[] parts : new int[][] {{0, 1}, {3, 4}, {1, 0}}) {
            LayerNorm expected = LayerNorm.of(x, modulation, parts[0], parts[1], map, columns);
            try (TensorArena.Scope scope = arena.scope()) {
                Tensor y = backend.tensor(arena, Fill.nan(x.length), rows, columns);
                Tensor statistics = backend.tensor(arena, Fill.nan(2 * rows), rows, 2);
                backend.norms().layerNormModulate(backend.tensor(arena, x, rows, columns),
                        backend.tensor(arena, modulation, modulationRows(map), PARTS * columns), parts[0], parts[1],
                        map, EPS, y, statistics);
                Bounded.assertAllWithin("y", backend.toArray(y), expected.y);
                Bounded[] pairs = new Bounded[2 * rows];
                for (int r = 0; r < rows; r++) {
                    pairs[2 * r] = expected.mean[r];
                    pairs[2 * r + 1] = expected.rstd[r];
                }
                Bounded.assertAllWithin("statistics", backend.toArray(statistics), pairs);
            }
        }
    }

    @ParameterizedTest(name = "{0} {1} columns {2}")
    @MethodSource("maps")
    void layerNormsGradientsFollowTheFormula(RowMap map, int columns, Fill fill) {
        layerNormGradients(map, columns, fill, 0, 1, false);
        layerNormGradients(map, columns, fill, 3, 4, true);
    }

    /// With `g = dy (1 + scale)`: `dx = rstd (g - mean(g) - hat mean(g hat))`; `dshift` sums dy and `dscale` sums
    /// `dy hat` over the tokens of a modulation row.
    private static void layerNormGradients(RowMap map, int columns, Fill fill, int shiftPart, int scalePart,
            boolean accumulate) {
        int rows = map.batch() * map.rows();
        int mRows = modulationRows(map);
        float[] x = fill.numbers(rows * columns, 1);
        float[] modulation = fill.numbers(mRows * PARTS * columns, 2);
        float[] dy = Fill.RANDOM.numbers(rows * columns, 3);
        float[] dxBefore = accumulate ? fill.numbers(rows * columns, 4) : Fill.nan(rows * columns);
        float[] dmBefore = fill.numbers(mRows * PARTS * columns, 5);
        LayerNorm forward = LayerNorm.of(x, modulation, shiftPart, scalePart, map, columns);
        Bounded[] dx = new Bounded[x.length];
        Sums dm = new Sums(dmBefore);
        for (int r = 0; r < rows; r++) {
            int base = map.modulationRow(r / map.rows(), r % map.rows()) * PARTS * columns;
            Bounded[] g = new Bounded[columns];
            Bounded[] hat = Arrays.copyOfRange(forward.hat, r * columns, (r + 1) * columns);
            for (int c = 0; c < columns; c++) {
                Bounded d = Bounded.of(dy[r * columns + c]);
                g[c] = Bounded.of(modulation[base + scalePart * columns + c]).plus(1).times(d);
                dm.add(base + shiftPart * columns + c, d);
                dm.add(base + scalePart * columns + c, d.times(hat[c]));
            }
            Bounded meanG = Bounded.sum(g).over(columns);
            Bounded meanGHat = Bounded.dot(g, hat).over(columns);
            for (int c = 0; c < columns; c++) {
                int i = r * columns + c;
                Bounded own = g[c].minus(meanG).minus(hat[c].times(meanGHat)).times(forward.rstd[r]);
                dx[i] = accumulate ? own.plus(dxBefore[i]) : own;
            }
        }
        try (TensorArena.Scope scope = arena.scope()) {
            Tensor xTensor = backend.tensor(arena, x, rows, columns);
            Tensor mTensor = backend.tensor(arena, modulation, mRows, PARTS * columns);
            Tensor statistics = arena.allocate(rows, 2);
            backend.norms().layerNormModulate(xTensor, mTensor, shiftPart, scalePart, map, EPS,
                    arena.allocate(rows, columns), statistics);
            Tensor dxTensor = backend.tensor(arena, dxBefore, rows, columns);
            Tensor dmTensor = backend.tensor(arena, dmBefore, mRows, PARTS * columns);
            backend.norms().layerNormModulateBackward(backend.tensor(arena, dy, rows, columns), xTensor, mTensor,
                    shiftPart, scalePart, map, statistics, dxTensor, accumulate, dmTensor);
            Bounded.assertAllWithin("dx", backend.toArray(dxTensor), dx);
            Bounded.assertAllWithin("dmodulation", backend.toArray(dmTensor), dm.totals());
        }
    }

    static Stream<Arguments> matrices() {
        int[][] sizes = {{1, 1}, {1, 16}, {3, 5}, {7, 33}, {1000, 17}, {5, 200}};
        return Stream.of(sizes).flatMap(s -> Stream.of(Fill.values()).map(fill -> Arguments.of(s[0], s[1], fill)));
    }

    private static Bounded rmsReciprocal(Bounded[] row) {
        return Bounded.dot(row, row).over(row.length).plus(EPS).reciprocalRoot();
    }

    @ParameterizedTest(name = "[{0}, {1}] {2}")
    @MethodSource("matrices")
    void rmsNormDividesByTheRootMeanSquare(int rows, int columns, Fill fill) {
        float[] x = fill.numbers(rows * columns, 1);
        float[] weight = fill.numbers(columns, 2);
        Bounded[] expected = new Bounded[x.length];
        for (int r = 0; r < rows; r++) {
            Bounded[] row = Bounded.of(Arrays.copyOfRange(x, r * columns, (r + 1) * columns));
            Bounded rstd = rmsReciprocal(row);
            for (int c = 0; c < columns; c++) expected[r * columns + c] = row[c].times(rstd).times(weight[c]);
        }
        try (TensorArena.Scope scope = arena.scope()) {
            Tensor y = backend.tensor(arena, Fill.nan(x.length), rows, columns);
            backend.norms()
                    .rmsNorm(backend.tensor(arena, x, rows, columns), backend.tensor(arena, weight, columns), EPS, y);
            Bounded.assertAllWithin("y", backend.toArray(y), expected);
        }
    }

    /// With `g = dy weight`: `dx = rstd (g - x rstd^2 mean(g x))`.
    private static Bounded[] rmsGradient(Bounded[] dy, Bounded[] x, float[] weight) {
        Bounded rstd = rmsReciprocal(x);
        Bounded[] g = new Bounded[x.length];
        for (int c = 0; c < g.length; c++) g[c] = dy[c].times(weight[c]);
        Bounded pull = Bounded.dot(g, x).times(rstd).times(rstd).over(x.length);
        Bounded[] dx = new Bounded[x.length];
        for (int c = 0; c < g.length; c++) dx[c] = g[c].minus(x[c].times(pull)).times(rstd);
        return dx;
    }

    @ParameterizedTest(name = "[{0}, {1}] {2}")
    @MethodSource("matrices")
    void rmsNormsGradientFollowsTheFormula(int rows, int columns, Fill fill) {
        float[] x = fill.numbers(rows * columns, 1);
        float[] weight = fill.numbers(columns, 2);
        float[] dy = Fill.RANDOM.numbers(rows * columns, 3);
        for (boolean accumulate : new boolean[] {false, true}) {
            float[] before = accumulate ? fill.numbers(x.length, 4) : Fill.nan(x.length);
            Bounded[] expected = new Bounded[x.length];
            for (int r = 0; r < rows; r++) {
                Bounded[] row = rmsGradient(Bounded.of(Arrays.copyOfRange(dy, r * columns, (r + 1) * columns)),
                        Bounded.of(Arrays.copyOfRange(x, r * columns, (r + 1) * columns)), weight);
                for (int c = 0; c < columns; c++) {
                    int i = r * columns + c;
                    expected[i] = accumulate ? row[c].plus(before[i]) : row[c];
                }
            }
            try (TensorArena.Scope scope = arena.scope()) {
                Tensor dx = backend.tensor(arena, before, rows, columns);
                backend.norms().rmsNormBackward(backend.tensor(arena, dy, rows, columns),
                        backend.tensor(arena, x, rows, columns), backend.tensor(arena, weight, columns), EPS, dx,
                        accumulate);
                Bounded.assertAllWithin("dx", backend.toArray(dx), expected);
            }
        }
    }

    /// Batch, rows of the stream, rows in front of it, rows behind it, heads, head width.
    static Stream<Arguments> streams() {
        int[][] sizes = {{1, 1, 0, 0, 1, 2}, {1, 3, 0, 2, 2, 6}, {2, 5, 4, 0, 3, 16}, {3, 4, 1, 2, 2, 40},
                {2, 200, 30, 0, 3, 16}};
        return Stream.of(sizes).flatMap(s -> Stream.of(Fill.values())
                .map(fill -> Arguments.of(s[0], s[1], s[2], s[3], s[4], s[5], fill)));
    }

    /// Each angle's cosine twice; its sine twice with the first negated.
    private static float[] doubled(int positions, int headDim, boolean sine) {
        float[] table = new float[positions * headDim];
        for (int i = 0; i < table.length; i++) {
            int pair = i / 2;
            double angle = 0.37 * pair - 2;
            table[i] = (float) (sine ? (i % 2 == 0 ? -1 : 1) * Math.sin(angle) : Math.cos(angle));
        }
        return table;
    }

    @ParameterizedTest(name = "batch {0}, rows {1} behind {2} and before {3}, {4} heads of {5}, {6}")
    @MethodSource("streams")
    void headsAreNormalisedRotatedAndPlacedAndSoAreTheirGradients(int batch, int rows, int offset, int behind,
            int heads, int headDim, Fill fill) {
        int joint = offset + rows + behind;
        int columns = heads * headDim;
        float[] x = fill.numbers(batch * rows * columns, 1);
        float[] weight = fill.numbers(headDim, 2);
        float[] cos = doubled(joint, headDim, false);
        float[] sin = doubled(joint, headDim, true);
        float[] before = fill.numbers(batch * joint * columns, 3);
        float[] dOut = Fill.RANDOM.numbers(batch * joint * columns, 4);
        Bounded[] out = Bounded.of(before);
        Bounded[] dx = new Bounded[x.length];
        for (int b = 0; b < batch; b++) {
            for (int i = 0; i < rows; i++) {
                for (int h = 0; h < heads; h++) {
                    int from = ((b * rows + i) * heads + h) * headDim;
                    int to = ((b * joint + offset + i) * heads + h) * headDim;
                    int angles = (offset + i) * headDim;
                    Bounded[] head = Bounded.of(Arrays.copyOfRange(x, from, from + headDim));
                    Bounded rstd = rmsReciprocal(head);
                    Bounded[] back = new Bounded[headDim];
                    for (int c = 0; c < headDim; c += 2) {
                        float cosine = cos[angles + c];
                        float sine = sin[angles + c + 1];
                        Bounded first = head[c].times(rstd).times(weight[c]);
                        Bounded second = head[c + 1].times(rstd).times(weight[c + 1]);
                        out[to + c] = first.times(cosine).minus(second.times(sine));
                        out[to + c + 1] = first.times(sine).plus(second.times(cosine));
                        back[c] = Bounded.of(dOut[to + c]).times(cosine).plus(Bounded.of(dOut[to + c + 1]).times(sine));
                        back[c + 1] = Bounded.of(dOut[to + c + 1]).times(cosine)
                                .minus(Bounded.of(dOut[to + c]).times(sine));
                    }
                    System.arraycopy(rmsGradient(back, head, weight), 0, dx, from, headDim);
                }
            }
        }
        try (TensorArena.Scope scope = arena.scope()) {
            Tensor xTensor = backend.tensor(arena, x, batch * rows, columns);
            Tensor w = backend.tensor(arena, weight, headDim);
            Tensor cosTensor = backend.tensor(arena, cos, joint, headDim);
            Tensor sinTensor = backend.tensor(arena, sin, joint, headDim);
            Tensor outTensor = backend.tensor(arena, before, batch * joint, columns);
            backend.norms().headNormRotate(xTensor, w, cosTensor, sinTensor, batch, offset, EPS, outTensor);
            // The rows of the other stream are as they were, to the bit: their bound is 0.
            Bounded.assertAllWithin("out", backend.toArray(outTensor), out);
            Tensor dxTensor = backend.tensor(arena, Fill.nan(x.length), batch * rows, columns);
            backend.norms().headNormRotateBackward(backend.tensor(arena, dOut, batch * joint, columns), xTensor, w,
                    cosTensor, sinTensor, batch, offset, EPS, dxTensor);
            Bounded.assertAllWithin("dx", backend.toArray(dxTensor), dx);
        }
    }
}
