package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import nocturne.io.DType;
import nocturne.io.HalfPrecision;
import nocturne.tensor.Elementwise;
import nocturne.tensor.RowMap;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// The kernels of `kernels/elementwise.cu` against the CPU backend, see [Twins].
class ElementwiseTwinTest {
    private static final int PARTS = 6;
    /// One multiplication and one addition, or a fused one, on each side.
    private static final double EXACT = 2;
    /// An exponential of moderate size, a sum, a quotient and two products, on each side.
    private static final double EXPONENTIAL = 16;

    /// One number; a thread's ragged end; a row of a wide matrix; more numbers than a block has; each in both types.
    static Stream<Arguments> matrices() {
        int[][] sizes = {{1, 1}, {3, 5}, {2, 64}, {7, 33}, {3, 1030}};
        return Stream.of(sizes).flatMap(s -> Stream.of(DType.F32, DType.BF16).map(t -> Arguments.of(t, s[0], s[1])));
    }

    @ParameterizedTest(name = "{0} [{1}, {2}]")
    @MethodSource("matrices")
    void fillCopyAndAddScaled(DType type, int rows, int columns) {
        Twins.compare(type, EXACT, side -> {
            Elementwise elementwise = side.backend().elementwise();
            elementwise.fill(side.result("zero", rows, columns), 0);
            elementwise.fill(side.result("filled", rows, columns), -2.5f);
            elementwise.copy(side.given("source", rows, columns), side.result("copied", rows, columns));
            elementwise.addScaled(side.given("x", rows, columns), -1.75f, side.changed("y", rows, columns));
        });
    }

    /// Rows of 7 numbers begin at addresses that no wide access could use, and their neighbours are somebody else's.
    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F32", "BF16"})
    void aViewIsChangedAndItsNeighboursAreNot(DType type) {
        Twins.compare(type, EXPONENTIAL, side -> {
            Elementwise elementwise = side.backend().elementwise();
            Tensor part = side.changed("all", 5, 7).rowRange(1, 3);
            elementwise.addScaled(side.given("x", 3, 7), 1, part);
            elementwise.silu(part, part);
            elementwise.geluTanh(side.given("more", 9, 7).rowRange(3, 3), part);
        });
    }

    @ParameterizedTest(name = "{0} [{1}, {2}]")
    @MethodSource("matrices")
    void activations(DType type, int rows, int columns) {
        Twins.compare(type, EXPONENTIAL, side -> {
            Elementwise elementwise = side.backend().elementwise();
            Tensor x = side.given("x", rows, columns);
            Tensor up = side.given("up", rows, columns);
            elementwise.geluTanh(x, side.result("gelu", rows, columns));
            elementwise.geluTanhBackward(up, x, side.result("dgelu", rows, columns));
            elementwise.geluErf(x, side.result("exact gelu", rows, columns));
            elementwise.silu(x, side.result("silu", rows, columns));
            elementwise.swiGlu(x, up, side.result("swiglu", rows, columns));
            Tensor gradient = side.changed("gradient in place", rows, columns);
            elementwise.geluTanhBackward(gradient, x, gradient);
        });
    }

    /// Where an exponential overflows, a tanh is 1, or everything vanishes, results are still numbers: the right ones.
    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F32", "BF16"})
    void activationsOfExtremes(DType type) {
        float[] extremes = {0, -0f, 1e-20f, 4, -4, 9, -9, 12, -12, 30, -30, 88, -88, 100, -100, 1e4f, -1e4f};
        int count = extremes.length;
        // An exponential of x has an error of |x| units.
        Twins.compare(type, 200, side -> {
            Elementwise elementwise = side.backend().elementwise();
            Tensor x = side.given("x", extremes, 1, count);
            Tensor dy = side.given("dy", 1, count);
            elementwise.geluTanh(x, side.result("gelu", 1, count));
            elementwise.geluTanhBackward(dy, x, side.result("dgelu", 1, count));
            elementwise.geluErf(x, side.result("exact gelu", 1, count));
            elementwise.silu(x, side.result("silu", 1, count));
            elementwise.swiGlu(x, dy, side.result("swiglu", 1, count));
        });
    }

    /// One token; all tokens of a sample in one modulation row, in less and in more than one run; a shared tail, also
    /// with nothing in front of it. Columns that are whole packs and columns that are not.
    static Stream<Arguments> maps() {
        return Stream.of(
                        Arguments.of(RowMap.perSample(1, 1), 1), Arguments.of(RowMap.perSample(2, 3), 5),
                        Arguments.of(RowMap.perSample(3, 70), 24), Arguments.of(RowMap.perSample(1, 290), 17),
                        Arguments.of(new RowMap(2, 7, 4, 2), 40), Arguments.of(new RowMap(2, 80, 33, 2), 48),
                        Arguments.of(new RowMap(2, 5, 0, 2), 8))
                .flatMap(a -> Stream.of(DType.F32, DType.BF16).map(type -> Arguments.of(type, a.get()[0], a.get()[1])));
    }

    @ParameterizedTest(name = "{0} {1} {2} columns")
    @MethodSource("maps")
    void theGateScalesWhatIsAddedAndCollectsItsGradient(DType type, RowMap map, int columns) {
        int rows = map.batch() * map.rows();
        int modulationRows = map.batch() + (map.split() < map.rows() ? 1 : 0);
        // A sum of as many products as there are tokens, of magnitude up to some 4 each.
        double units = 8 * rows;
        Twins.compare(type, units, side -> {
            Elementwise elementwise = side.backend().elementwise();
            Tensor x = side.given("x", rows, columns);
            Tensor y = side.given("y", rows, columns);
            Tensor modulation = side.given("modulation", modulationRows, PARTS * columns);
            Tensor dOut = side.given("dout", rows, columns);
            Tensor dModulation = side.changed("dmodulation", modulationRows, PARTS * columns);
            for (int part : new int[] {0, 5}) {
                elementwise.gatedResidual(x, y, modulation, part, map, side.result("out" + part, rows, columns));
                elementwise.gatedResidualBackward(dOut, y, modulation, part, map,
                        side.result("dy" + part, rows, columns), dModulation);
            }
        });
    }

    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F32", "BF16"})
    void halvesTurnAgainstEachOther(DType type) {
        int rows = 5;
        int heads = 3;
        int half = 10;
        Twins.compare(type, 6, side -> {
            Tensor cos = side.givenFloats("cos", rows, half);
            Tensor sin = side.givenFloats("sin", rows, half);
            Tensor x = side.given("x", rows, 2 * half * heads);
            Tensor inPlace = side.changed("in place", rows, 2 * half * heads);
            side.backend().elementwise().rotateHalves(x, cos, sin, side.result("y", rows, 2 * half * heads));
            side.backend().elementwise().rotateHalves(inPlace, cos, sin, inPlace);
        });
    }

    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F32", "BF16"})
    void rowsArePlacedInAndTakenFromEachSample(DType type) {
        Twins.compare(type, 0, side -> {
            Elementwise elementwise = side.backend().elementwise();
            elementwise.placeRows(side.given("part", 3 * 4, 5), 3, 2, side.changed("joint", 3 * 9, 5));
            elementwise.takeRows(side.given("other joint", 3 * 9, 5), 3, 5, side.result("taken", 3 * 4, 5));
        });
    }

    /// Every bf16 there is, and every float that lies halfway between two of them, just below and just above.
    @Test
    void conversionsRoundToNearestEven() {
        float[] numbers = new float[4 << 16];
        for (int high = 0; high < 1 << 16; high++) {
            int[] lows = {0, 0x7fff, 0x8000, 0x8001};
            for (int i = 0; i < 4; i++) numbers[4 * high + i] = Float.intBitsToFloat(high << 16 | lows[i]);
        }
        try (CudaBackend backend = new CudaBackend(new SimulatedDevice(), DType.BF16);
                TensorArena arena = backend.newArena()) {
            Tensor floats = backend.floats(arena, numbers, numbers.length);
            Tensor narrow = arena.allocate(numbers.length);
            Tensor wide = arena.allocate(DType.F32, numbers.length);
            backend.elementwise().copy(floats, narrow);
            backend.elementwise().copy(narrow, wide);
            float[] expected = new float[numbers.length];
            for (int i = 0; i < numbers.length; i++) {
                expected[i] = HalfPrecision.fromBf16(HalfPrecision.toBf16(numbers[i]));
            }
            assertThat(backend.toArray(wide)).isEqualTo(expected);
            assertThat(backend.toArray(narrow)).as("read as float32").isEqualTo(expected);
        }
    }

    /// More numbers than the host's staging memory holds at once.
    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F32", "BF16"})
    void largeTensorsArriveAndReturnInPieces(DType type) {
        float[] numbers = new float[(1 << 20) + 3];
        for (int i = 0; i < numbers.length; i++) numbers[i] = i % 251;
        try (CudaBackend backend = new CudaBackend(new SimulatedDevice(), type);
                TensorArena arena = backend.newArena()) {
            Tensor tensor = backend.tensor(arena, numbers, numbers.length);
            assertThat(backend.toArray(tensor)).isEqualTo(numbers);
        }
    }
}
