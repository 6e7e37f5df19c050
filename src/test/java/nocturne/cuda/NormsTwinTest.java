package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.Stream;
import nocturne.io.DType;
import nocturne.tensor.Norms;
import nocturne.tensor.RowMap;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// The kernels of `kernels/norms.cu` against the CPU backend, see [Twins].
class NormsTwinTest {
    private static final int PARTS = 6;
    private static final float EPS = 1e-6f;

    /// A norm's terms add up in one sum over the columns and, for a modulation's gradient, in one over the rows; then
    /// differences of numbers up to 4 are multiplied by a reciprocal deviation, which is above 1 in short rows.
    private static double units(int rows, int columns) {
        return 100 + columns / 4.0 + 8 * rows;
    }

    private static int modulationRows(RowMap map) {
        return map.batch() + (map.split() < map.rows() ? 1 : 0);
    }

    private static Stream<Arguments> inBothTypes(Stream<Arguments> cases) {
        return cases.flatMap(a -> Stream.of(DType.F32, DType.BF16)
                .map(type -> Arguments.of(Stream.concat(Stream.of(type), Stream.of(a.get())).toArray())));
    }

    /// One number; all tokens of a sample in one modulation row, in less and in more than one run, and in a run whose
    /// tokens are no multiple of those that are in registers at a time; a shared tail, also with nothing in front of
    /// it. Columns that are whole packs and columns that are not; the model's own width; more than a warp has of both.
    static Stream<Arguments> maps() {
        return inBothTypes(Stream.of(
                Arguments.of(RowMap.perSample(1, 1), 1), Arguments.of(RowMap.perSample(2, 3), 5),
                Arguments.of(RowMap.perSample(2, 39), 24), Arguments.of(RowMap.perSample(1, 70), 17),
                Arguments.of(new RowMap(2, 7, 4, 2), 40), Arguments.of(new RowMap(2, 50, 33, 2), 48),
                Arguments.of(new RowMap(2, 5, 0, 2), 8), Arguments.of(RowMap.perSample(1, 5), 3072),
                Arguments.of(new RowMap(1, 3, 2, 1), 1030), Arguments.of(RowMap.perSample(1, 4), 1544)));
    }

    @ParameterizedTest(name = "{0} {1} {2} columns")
    @MethodSource("maps")
    void layerNormIsCentredScaledAndModulated(DType type, RowMap map, int columns) {
        int rows = map.batch() * map.rows();
        Twins.compare(type, units(1, columns), side -> {
            Tensor x = side.given("x", rows, columns);
            Tensor modulation = side.given("modulation", modulationRows(map), PARTS * columns);
            for (int part : new int[] {0, 4}) {
                side.backend().norms().layerNormModulate(x, modulation, part, part + 1, map, EPS,
                        side.result("y" + part, rows, columns), side.resultFloats("statistics" + part, rows, 2));
            }
        });
    }

    @ParameterizedTest(name = "{0} {1} {2} columns")
    @MethodSource("maps")
    void layerNormsGradientsReachTokensAndModulation(DType type, RowMap map, int columns) {
        int rows = map.batch() * map.rows();
        Twins.compare(type, units(rows, columns), side -> {
            Norms norms = side.backend().norms();
            Tensor x = side.given("x", rows, columns);
            Tensor dy = side.given("dy", rows, columns);
            Tensor modulation = side.given("modulation", modulationRows(map), PARTS * columns);
            Tensor dModulation = side.changed("dmodulation", modulationRows(map), PARTS * columns);
            Tensor statistics = side.resultFloats("statistics", rows, 2);
            norms.layerNormModulate(x, modulation, 0, 1, map, EPS, side.result("y", rows, columns), statistics);
            norms.layerNormModulateBackward(dy, x, modulation, 0, 1, map, statistics, side.result("dx", rows, columns),
                    false, dModulation);
            norms.layerNormModulateBackward(dy, x, modulation, 4, 3, map, statistics,
                    side.changed("dx added to", rows, columns), true, dModulation);
        });
    }

    /// The variance of a row far from zero: 1 beside squares of a million, which a difference of means would lose.
    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F32", "BF16"})
    void aRowFarFromZeroKeepsItsVariance(DType type) {
        float[] numbers = Side.normal("numbers", 3, 200);
        for (int i = 0; i < numbers.length; i++) numbers[i] = 1000 + 8 * Math.round(4 * numbers[i]);
        Twins.compare(type, 4000, side -> side.backend().norms().layerNormModulate(
                side.given("x", numbers, 3, 200), side.given("modulation", 1, 400), 0, 1, RowMap.perSample(1, 3), EPS,
                side.result("y", 3, 200), side.resultFloats("statistics", 3, 2)));
    }

    /// One number; ragged ends; rows of a text encoder's width; more numbers than a warp holds.
    static Stream<Arguments> matrices() {
        return inBothTypes(Stream.of(Arguments.of(1, 1), Arguments.of(3, 5), Arguments.of(2, 64), Arguments.of(5, 33),
                Arguments.of(3, 1030), Arguments.of(2, 3584)));
    }

    @ParameterizedTest(name = "{0} [{1}, {2}]")
    @MethodSource("matrices")
    void rmsNormAndItsGradient(DType type, int rows, int columns) {
        Twins.compare(type, units(1, columns), side -> {
            Norms norms = side.backend().norms();
            Tensor x = side.given("x", rows, columns);
            Tensor dy = side.given("dy", rows, columns);
            Tensor weight = side.given("weight", columns);
            norms.rmsNorm(x, weight, EPS, side.result("y", rows, columns));
            norms.rmsNormBackward(dy, x, weight, EPS, side.result("dx", rows, columns), false);
            norms.rmsNormBackward(dy, x, weight, EPS, side.changed("dx added to", rows, columns), true);
            Tensor inPlace = side.changed("in place", rows, columns);
            norms.rmsNorm(inPlace, weight, EPS, inPlace);
        });
    }

    /// Rows of whole packs that begin in the midst of one, where 16-byte accesses would fail.
    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F32", "BF16"})
    void rowsMayBeginAnywhere(DType type) {
        RowMap map = RowMap.perSample(1, 3);
        Twins.compare(type, units(3, 16), side -> {
            Norms norms = side.backend().norms();
            Tensor x = side.given("x", 51).slice(3, 3, 16);
            Tensor dy = side.given("dy", 51).slice(3, 3, 16);
            Tensor weight = side.given("weight", 19).slice(1, 16);
            Tensor modulation = side.given("modulation", 33).slice(1, 1, 32);
            Tensor dModulation = side.changed("dmodulation", 33).slice(1, 1, 32);
            Tensor statistics = side.resultFloats("statistics", 3, 2);
            norms.layerNormModulate(x, modulation, 0, 1, map, EPS, side.changed("y", 51).slice(3, 3, 16), statistics);
            norms.layerNormModulateBackward(dy, x, modulation, 0, 1, map, statistics,
                    side.changed("dx", 51).slice(3, 3, 16), false, dModulation);
            norms.rmsNorm(x, weight, EPS, side.changed("y of rms", 51).slice(3, 3, 16));
            norms.rmsNormBackward(dy, x, weight, EPS, side.changed("dx of rms", 51).slice(3, 3, 16), true);
            Tensor angles = side.givenFloats("angles", 27).slice(3, 3, 8);
            Tensor headWeight = weight.slice(0, 8);
            norms.headNormRotate(x, headWeight, angles, angles, 1, 0, EPS,
                    side.changed("heads", 51).slice(3, 3, 16));
            norms.headNormRotateBackward(dy, x, headWeight, angles, angles, 1, 0, EPS,
                    side.changed("dx of heads", 51).slice(3, 3, 16));
        });
    }

    /// A lane alone, two, a warp for each head; heads that leave lanes of their group, or of the last warp, without
    /// work; more heads than a block has at a time; the model's own.
    static Stream<Arguments> heads() {
        return inBothTypes(Stream.of(Arguments.of(3, 2), Arguments.of(5, 8), Arguments.of(2, 16), Arguments.of(3, 20),
                Arguments.of(3, 64), Arguments.of(4, 80), Arguments.of(24, 128), Arguments.of(17, 256)));
    }

    /// Both streams of a joint sequence with a row between them that belongs to nobody.
    @ParameterizedTest(name = "{0} {1} heads of {2}")
    @MethodSource("heads")
    void headsAreNormalisedTurnedAndPlaced(DType type, int heads, int headDim) {
        int batch = 2;
        int joint = 6;
        int columns = heads * headDim;
        Twins.compare(type, units(1, headDim), side -> {
            Norms norms = side.backend().norms();
            Tensor weight = side.given("weight", headDim);
            Tensor cos = side.givenFloats("cos", joint, headDim);
            Tensor sin = side.givenFloats("sin", joint, headDim);
            Tensor out = side.changed("out", batch * joint, columns);
            Tensor dOut = side.given("dout", batch * joint, columns);
            int[][] offsetsAndRows = {{0, 2}, {3, 3}};
            for (int[] stream : offsetsAndRows) {
                int rows = batch * stream[1];
                Tensor x = side.given("x" + stream[0], rows, columns);
                norms.headNormRotate(x, weight, cos, sin, batch, stream[0], EPS, out);
                norms.headNormRotateBackward(dOut, x, weight, cos, sin, batch, stream[0], EPS,
                        side.result("dx" + stream[0], rows, columns));
            }
        });
    }

    /// What no block can hold is refused before anything is launched.
    @Test
    void rowsThatNoBlockHoldsAreRefused() {
        try (CudaBackend backend = new CudaBackend(new SimulatedDevice(), DType.BF16);
                TensorArena arena = backend.newArena()) {
            Tensor row = arena.allocate(1, 12_289);
            assertThatThrownBy(() -> backend.norms().rmsNorm(row, row, EPS, row))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("rows of 12289 columns; a block takes 12288");
            Tensor head = arena.allocate(1, 258);
            assertThatThrownBy(() -> backend.norms().headNormRotate(head, head, head, head, 1, 0, EPS, head))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("heads of 258 columns");
        }
    }
}
