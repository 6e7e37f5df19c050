package nocturne.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import nocturne.problem.UserMistake;

class QuantizedMatrixPropertyTest {
    @Provide
    Arbitrary<WeightType> types() {
        return Arbitraries.of(Stream.of(WeightType.values()).filter(WeightType::isApplied).toList());
    }

    /// No weight moves farther than half a step of its format, plus what rounding each operation costs: a few units in
    /// the last place of the row's largest weight.
    @Property(tries = 300)
    void aWeightMovesByHalfAStepAtMost(@ForAll("types") WeightType type, @ForAll Rounding rounding,
            @ForAll @IntRange(min = 1, max = 5) int rows, @ForAll @IntRange(min = 1, max = 4) int groups,
            @ForAll @IntRange(min = -12, max = 12) int magnitude, @ForAll long seed) {
        int columns = 64 * groups;
        float[] weights = weights(rows * columns, Math.scalb(1f, magnitude), rounding, seed);
        float[] back = roundTrip(type, rounding, rows, columns, weights);
        double unit = rounding == Rounding.BF16 ? 0x1p-8 : 0x1p-23;
        for (int row = 0; row < rows; row++) {
            for (int group = 0; group < groups; group++) {
                int from = row * columns + group * 64;
                int first = type.encoding().hasZeroPoints() ? from : row * columns;
                int width = type.encoding().hasZeroPoints() ? 64 : columns;
                for (int i = from; i < from + 64; i++) {
                    double bound = step(type, weights, first, width, weights[i]) / 2
                            + 4 * unit * largest(weights, first, width) + Encoding.LEAST_SCALE;
                    assertThat(Math.abs(back[i] - weights[i])).as("%s, weight %s", type, weights[i])
                            .isLessThanOrEqualTo((float) bound);
                }
            }
        }
    }

    /// The distance of neighbouring values around a weight.
    private static double step(WeightType type, float[] weights, int first, int width, float weight) {
        double largest = largest(weights, first, width);
        return switch (type) {
            // Three bits of mantissa: neighbours are an eighth of the power of two below; the smallest are 2^-9 apart.
            case FLOAT8, QFLOAT8 -> Math.max(Math.abs(weight) / 8, largest / 448 * 0x1p-9) * 1.01;
            case INT8, QINT8 -> largest / 127;
            default -> {
                double lo = 0;
                double hi = 0;
                for (int i = first; i < first + width; i++) {
                    lo = Math.min(lo, weights[i]);
                    hi = Math.max(hi, weights[i]);
                }
                // The zero point is whole, so that the ends of the range can miss by half a step more.
                yield 2 * (hi - lo) / ((1 << type.bits()) - 1);
            }
        };
    }

    private static double largest(float[] weights, int first, int width) {
        double largest = 0;
        for (int i = first; i < first + width; i++) largest = Math.max(largest, Math.abs(weights[i]));
        return largest;
    }

    /// Zeros survive beside anything: in a row of their own, and among others.
    @Property(tries = 100)
    void zeroStaysZero(@ForAll("types") WeightType type, @ForAll Rounding rounding, @ForAll long seed) {
        int columns = 128;
        float[] weights = weights(3 * columns, 1, rounding, seed);
        for (int i = columns; i < 2 * columns; i++) weights[i] = 0;
        for (int i = 0; i < weights.length; i += 7) weights[i] = 0;
        float[] back = roundTrip(type, rounding, 3, columns, weights);
        for (int i = 0; i < weights.length; i++) {
            if (weights[i] == 0) assertThat(back[i] + 0f).as("%s, element %d", type, i).isEqualTo(0f);
        }
    }

    /// Quantising what came back changes nothing any more, but where bf16 makes the scale anew.
    @Property(tries = 100)
    void theSecondRoundTripIsNearTheFirst(@ForAll("types") WeightType type, @ForAll long seed) {
        float[] weights = weights(2 * 192, 1, Rounding.F32, seed);
        float[] once = roundTrip(type, Rounding.F32, 2, 192, weights);
        float[] twice = roundTrip(type, Rounding.F32, 2, 192, once);
        for (int i = 0; i < once.length; i++) {
            double bound = step(type, weights, i / 192 * 192, 192, once[i]);
            assertThat(Math.abs(twice[i] - once[i])).isLessThanOrEqualTo((float) bound);
        }
    }

    /// Any floats at all: either every number that comes back is finite, or the matrix is refused.
    @Property(tries = 500)
    void nothingThatIsNotFiniteIsStored(@ForAll("types") WeightType type, @ForAll Rounding rounding,
            @ForAll long seed) {
        Random random = new Random(seed);
        float[] weights = new float[128];
        for (int i = 0; i < weights.length; i++) weights[i] = Float.intBitsToFloat(random.nextInt());
        if (seed % 2 == 0) for (int i = 0; i < weights.length; i++) if (!isModest(weights[i])) weights[i] = 0;
        try {
            for (float value : roundTrip(type, rounding, 1, 128, weights)) assertThat(value).isFinite();
        } catch (UserMistake refused) {
            assertThat(refused.problems().getFirst().code()).isEqualTo("MODEL_INVALID");
            assertThat(seed % 2).as("weights of a normal size are refused").isNotZero();
        }
    }

    private static boolean isModest(float weight) {
        return Math.abs(weight) < 1e30f;
    }

    @Property(tries = 20)
    void aWeightThatIsNotFiniteIsToldWithItsRow(@ForAll("types") WeightType type) {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            float[] weights = weights(3 * 64, 1, Rounding.F32, 5);
            weights[2 * 64 + 17] = bad;
            assertThatThrownBy(() -> roundTrip(type, Rounding.BF16, 3, 64, weights))
                    .isInstanceOf(UserMistake.class).hasMessageContaining("some.weight: row 2 holds numbers");
        }
    }

    @Example
    void rowsThatAreNoWholeGroupsStayAsTheyAre() {
        for (WeightType type : WeightType.values()) {
            boolean groups = type.isApplied() && type.encoding().hasZeroPoints();
            assertThat(type.fits(3072)).isEqualTo(type.isApplied());
            for (int ragged : new int[] {1, 63, 65, 100}) {
                assertThat(type.fits(ragged)).as("%s, %d", type, ragged).isEqualTo(type.isApplied() && !groups);
            }
        }
    }

    /// Matrices are quantised and read by several threads at once, with one allocator.
    @Example
    void threadsDoNotDisturbOneAnother() throws Exception {
        List<WeightType> types = Stream.of(WeightType.values()).filter(WeightType::isApplied).toList();
        float[] weights = weights(40 * 256, 1, Rounding.BF16, 11);
        try (Arena memory = Arena.ofShared(); ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Callable<float[]>> tasks = IntStream.range(0, 40).<Callable<float[]>>mapToObj(n -> () ->
                    roundTrip(types.get(n % types.size()), Rounding.BF16, 40, 256, weights, memory)).toList();
            List<Future<float[]>> done = threads.invokeAll(tasks);
            for (int n = 0; n < done.size(); n++) {
                WeightType type = types.get(n % types.size());
                assertThat(done.get(n).get()).as("%s", type)
                        .isEqualTo(roundTrip(type, Rounding.BF16, 40, 256, weights));
            }
        }
    }

    private static float[] roundTrip(WeightType type, Rounding rounding, int rows, int columns, float[] weights) {
        try (Arena memory = Arena.ofConfined()) {
            return roundTrip(type, rounding, rows, columns, weights, memory);
        }
    }

    private static float[] roundTrip(
            WeightType type, Rounding rounding, int rows, int columns, float[] weights, Arena memory) {
        QuantizedMatrix matrix = QuantizedMatrix.quantize("some.weight", type, rounding, rows, columns,
                (row, values) -> System.arraycopy(weights, row * columns, values, 0, columns), memory);
        float[] back = new float[weights.length];
        matrix.dequantize(0, rows, MemorySegment.ofArray(back), 0);
        return back;
    }

    private static float[] weights(int count, float size, Rounding rounding, long seed) {
        Random random = new Random(seed);
        float[] weights = new float[count];
        for (int i = 0; i < count; i++) weights[i] = rounding.of((float) (size * random.nextGaussian()));
        return weights;
    }
}
