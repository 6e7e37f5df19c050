package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntBinaryOperator;
import nocturne.cuda.SimulatedDevice.Order;
import nocturne.io.HalfPrecision;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// What `kernels/device.cuh` offers to kernels does what its comments say, on the simulator.
class PrimitivesTest {
    private static final int SIZE = 16;

    private final TestKernels kernels = new TestKernels("primitives.cu", Order.STRIDED);

    @AfterEach
    void stop() {
        kernels.close();
    }

    /// All 256 codes, what lies halfway between two neighbours, and the floats just beside: the nearest is taken, the
    /// even one of two, and what is too large becomes the largest.
    @Test
    void e4m3RoundsToNearestEvenAndSaturates() {
        List<Float> inputs = new ArrayList<>(List.of(0f, -0f, Float.MIN_VALUE, 1e-10f, 448f, 463f, 464f, 465f, 1e10f,
                Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY));
        List<Integer> expected = new ArrayList<>(List.of(0, 0x80, 0, 0, 0x7e, 0x7e, 0x7e, 0x7e, 0x7e, 0x7e, 0xfe));
        for (int code = 0; code < 0x7e; code++) {
            for (int sign = 0; sign <= 0x80; sign += 0x80) {
                float here = HalfPrecision.fromE4m3((byte) (code | sign));
                float halfway = (here + HalfPrecision.fromE4m3((byte) (code + 1 | sign))) / 2;
                float inwards = Math.nextAfter(halfway, 0);
                float outwards = Math.nextAfter(halfway, sign == 0 ? 1000 : -1000);
                inputs.addAll(List.of(here, inwards, halfway, outwards));
                int even = code % 2 == 0 ? code : code + 1;
                expected.addAll(List.of(code | sign, code | sign, even | sign, code + 1 | sign));
            }
        }
        float[] x = new float[inputs.size()];
        for (int i = 0; i < x.length; i++) x[i] = inputs.get(i);
        MemorySegment codes = kernels.memory(new byte[x.length]);
        MemorySegment values = kernels.memory(x.length);
        kernels.arguments.start().pointer(kernels.memory(x)).pointer(codes).pointer(values).integer(x.length);
        kernels.run("e4m3_round_trip", Blocks.covering(x.length, 64), 64, 0);
        for (int i = 0; i < x.length; i++) {
            int code = Byte.toUnsignedInt(codes.get(ValueLayout.JAVA_BYTE, i));
            assertThat(code).as("e4m3 of %s", x[i]).isEqualTo(expected.get(i));
            assertThat(values.getAtIndex(ValueLayout.JAVA_FLOAT, i)).isEqualTo(HalfPrecision.fromE4m3((byte) code));
        }
    }

    @Test
    void reductionsGiveEveryThreadTheSame() {
        float[] x = new float[96];
        for (int i = 0; i < x.length; i++) x[i] = (i * 37 % 96) - 40;
        MemorySegment sum = kernels.memory(x.length);
        MemorySegment most = kernels.memory(x.length);
        kernels.arguments.start().pointer(kernels.memory(x)).pointer(sum).pointer(most);
        kernels.run("block_reductions", 1, x.length, 32 * Float.BYTES);
        assertThat(TestKernels.floats(sum)).hasSize(96).containsOnly(95 * 96 / 2 - 40 * 96);
        assertThat(TestKernels.floats(most)).hasSize(96).containsOnly(55);
    }

    @Test
    void lanesSeeWhatOthersShow() {
        MemorySegment y = kernels.memory(6 * 32);
        kernels.arguments.start().pointer(y);
        kernels.run("lane_exchanges", 1, 32, 0);
        int[] seen = y.toArray(ValueLayout.JAVA_INT);
        for (int lane = 0; lane < 32; lane++) {
            assertThat(seen[lane]).as("up").isEqualTo(Math.max(lane - 1, 0));
            assertThat(seen[32 + lane]).as("down").isEqualTo(lane < 30 ? lane + 2 : lane);
            assertThat(seen[64 + lane]).as("across").isEqualTo(lane ^ 5);
            assertThat(seen[96 + lane]).as("broadcast").isEqualTo(7);
            assertThat(seen[128 + lane]).as("ballot").isEqualTo(0b01001001_00100100_10010010_01001001);
            int next = (lane + 1) % 32;
            assertThat(seen[160 + lane]).as("halves").isEqualTo(next < 16 ? next ^ 3 : next ^ 4);
        }
    }

    /// Whole numbers small enough that every sum is exact; no two rows or columns are alike.
    private static int left(int row, int k) {
        return (3 * row + 5 * k) % 7 - 3;
    }

    private static int right(int column, int k) {
        return (4 * column + k * k) % 9 - 4;
    }

    private static int product(int row, int column, int depth) {
        int sum = 0;
        for (int k = 0; k < depth; k++) sum += left(row, k) * right(column, k);
        return sum;
    }

    private static short[] bf16(int columns, IntBinaryOperator number) {
        short[] numbers = new short[SIZE * columns];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = HalfPrecision.toBf16(number.applyAsInt(i / columns, i % columns));
        }
        return numbers;
    }

    private static byte[] bytes(IntBinaryOperator number) {
        byte[] numbers = new byte[SIZE * 2 * SIZE];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = (byte) number.applyAsInt(i / (2 * SIZE), i % (2 * SIZE));
        }
        return numbers;
    }

    /// The code of a small whole number.
    private static int e4m3(int number) {
        for (int code = 0; code < 256; code++) if (HalfPrecision.fromE4m3((byte) code) == number) return code;
        throw new IllegalArgumentException("no e4m3 is " + number);
    }

    private MemorySegment run(String kernel, MemorySegment a, MemorySegment b) {
        MemorySegment d = kernels.memory(SIZE * SIZE);
        kernels.arguments.start().pointer(a).pointer(b).pointer(d);
        kernels.run(kernel, 1, 32, 2 * SIZE * 32);
        return d;
    }

    private static void assertProduct(float[] d, int depth) {
        for (int i = 0; i < d.length; i++) {
            assertThat(d[i]).as("row %d, column %d", i / SIZE, i % SIZE)
                    .isEqualTo(product(i / SIZE, i % SIZE, depth));
        }
    }

    @Test
    void matricesOfBf16AreMultiplied() {
        MemorySegment a = kernels.memory(bf16(SIZE, PrimitivesTest::left));
        MemorySegment b = kernels.memory(bf16(SIZE, PrimitivesTest::right));
        assertProduct(TestKernels.floats(run("product_bf16", a, b)), SIZE);
        MemorySegment transposed = kernels.memory(bf16(SIZE, (k, column) -> right(column, k)));
        assertProduct(TestKernels.floats(run("product_bf16_transposed", a, transposed)), SIZE);
    }

    @Test
    void matricesOfEightBitsAreMultiplied() {
        MemorySegment a = kernels.memory(bytes(PrimitivesTest::left));
        MemorySegment b = kernels.memory(bytes(PrimitivesTest::right));
        int[] d = run("product_s8", a, b).toArray(ValueLayout.JAVA_INT);
        float[] exact = new float[d.length];
        for (int i = 0; i < d.length; i++) exact[i] = d[i];
        assertProduct(exact, 2 * SIZE);
        MemorySegment floatA = kernels.memory(bytes((row, k) -> e4m3(left(row, k))));
        MemorySegment floatB = kernels.memory(bytes((column, k) -> e4m3(right(column, k))));
        assertProduct(TestKernels.floats(run("product_e4m3", floatA, floatB)), 2 * SIZE);
    }

    @Test
    void aCopyThatIsNotValidWritesZeros() {
        MemorySegment y = kernels.memory(8);
        kernels.arguments.start().pointer(kernels.memory(1f, 2f, 3f, 4f)).pointer(y).integer(1);
        kernels.run("copy_or_zero", 1, 2, 32);
        assertThat(TestKernels.floats(y)).containsExactly(1, 2, 3, 4, 0, 0, 0, 0);
    }
}
