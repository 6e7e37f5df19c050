package nocturne.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import nocturne.tensor.Loss;
import nocturne.tensor.Optimisation.AdamW;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Loss and updates against their formulas in double; tolerances by [Bounded].
class OptimisationTest {
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

    static Stream<Arguments> batches() {
        int[][] sizes = {{1, 1, 1}, {1, 24, 64}, {2, 7, 5}, {3, 300, 64}};
        return Stream.of(sizes)
                .flatMap(s -> Stream.of(Fill.values()).map(fill -> Arguments.of(s[0], s[1], s[2], fill)));
    }

    @ParameterizedTest(name = "batch {0}, [{1}, {2}], {3}")
    @MethodSource("batches")
    void theLossIsTheWeightedMeanOfTheSquaresAndTheGradientItsSlope(int batch, int rows, int columns, Fill fill) {
        compare(Loss.SQUARED, batch, rows * columns, fill,
                difference -> new Bounded(difference.value() * difference.value(),
                        // Squares are summed in double: only the difference was rounded.
                        2.1 * Math.abs(difference.value()) * difference.error()),
                difference -> difference.times(2));
    }

    @ParameterizedTest(name = "batch {0}, [{1}, {2}], {3}")
    @MethodSource("batches")
    void theAbsoluteLossHasTheSlopeOne(int batch, int rows, int columns, Fill fill) {
        compare(Loss.ABSOLUTE, batch, rows * columns, fill,
                difference -> new Bounded(Math.abs(difference.value()), difference.error()),
                // A difference of floats has the right sign.
                difference -> Bounded.of(Math.signum(difference.value())));
    }

    /// By the text-book's formula in double; its slope is the derivative.
    @ParameterizedTest(name = "batch {0}, [{1}, {2}], {3}")
    @MethodSource("batches")
    void thePseudoHuberLossIsAHyperbola(int batch, int rows, int columns, Fill fill) {
        compare(Loss.PSEUDO_HUBER, batch, rows * columns, fill, difference -> {
            double d = difference.value();
            // The slope is at most 1; the formula as it stands here cancels.
            return new Bounded(Math.sqrt(d * d + 1e-4) - 0.01, difference.error() + 1e-15 * (1 + Math.abs(d)));
        }, difference -> {
            double d = difference.value();
            double root = Math.sqrt(d * d + 1e-4);
            // The slope of the slope is c^2 / root^3, and less where the difference is not small.
            double steepness = 1e-4 / Math.pow(Math.max(0.01, root - difference.error()), 3);
            return new Bounded(d / root, steepness * difference.error() + Bounded.HALF_ULP);
        });
    }

    private static void compare(Loss kind, int batch, int perSample, Fill fill, UnaryOperator<Bounded> term,
            UnaryOperator<Bounded> slope) {
        float[] prediction = fill.numbers(batch * perSample, 1);
        float[] target = Fill.RANDOM.numbers(batch * perSample, 2);
        // Where there is no difference, and where it is small.
        target[0] = prediction[0];
        if (target.length > 1) target[1] = Math.nextUp(prediction[1]);
        float[] weights = new float[batch];
        for (int b = 0; b < batch; b++) weights[b] = 0.25f + b;
        for (float gradientScale : new float[] {1, 0.5f, 0}) {
            double loss = 0;
            double error = 0;
            Bounded[] gradient = new Bounded[prediction.length];
            for (int i = 0; i < prediction.length; i++) {
                int b = i / perSample;
                Bounded difference = Bounded.of(prediction[i]).minus(Bounded.of(target[i]));
                double share = weights[b] / ((double) perSample * batch);
                Bounded lost = term.apply(difference);
                loss += share * lost.value();
                error += share * lost.error();
                Bounded weight = Bounded.of(gradientScale).times(weights[b])
                        .over(Bounded.of((double) perSample * batch));
                gradient[i] = weight.times(slope.apply(difference));
            }
            try (TensorArena.Scope scope = arena.scope()) {
                Tensor g = backend.tensor(arena, Fill.nan(prediction.length), prediction.length);
                double ours = backend.optimisation().loss(kind, backend.tensor(arena, prediction, prediction.length),
                        backend.tensor(arena, target, prediction.length), weights, gradientScale, g);
                assertThat(ours).isCloseTo(loss, within(error + 1e-12 * loss));
                Bounded.assertAllWithin("gradient", backend.toArray(g), gradient);
            }
        }
    }

    /// The formula of ai-toolkit, `sqrt(d^2 + 0.01^2) - 0.01`, and its derivative, worked out to 40 digits.
    @Test
    void thePseudoHuberLossOfFiveNumbers() {
        float[] differences = {0, 0.00390625f, -0.0078125f, 0.25f, -2};
        float[] slopes = {0, 0.36385052714f, -0.61564404197f, 0.99920095872f, -0.99998750023f};
        try (TensorArena.Scope scope = arena.scope()) {
            Tensor g = backend.tensor(arena, Fill.nan(5), 5);
            double loss = backend.optimisation().loss(Loss.PSEUDO_HUBER, backend.tensor(arena, differences, 5),
                    backend.tensor(arena, new float[5], 5), new float[] {1}, 5, g);
            assertThat(loss).isCloseTo(0.446730149467856209600531232403096, within(1e-15));
            assertThat(backend.toArray(g)).usingComparatorWithPrecision(1e-7f).containsExactly(slopes);
        }
    }

    /// A loss that hides a number that is none would let a step pass that must not.
    @ParameterizedTest
    @EnumSource(Loss.class)
    void whatIsNotANumberShowsInLossAndGradient(Loss kind) {
        try (TensorArena.Scope scope = arena.scope()) {
            Tensor g = backend.tensor(arena, new float[2], 2);
            double loss = backend.optimisation().loss(kind, backend.tensor(arena, new float[] {1, Float.NaN}, 2),
                    backend.tensor(arena, new float[2], 2), new float[] {1}, 1, g);
            assertThat(loss).isNaN();
            assertThat(backend.toArray(g)[1]).isNaN();
        }
    }

    /// Around the length of a vector and of a run (16384).
    @ParameterizedTest
    @ValueSource(ints = {1, 3, 15, 16, 17, 16_384, 16_385, 40_001})
    void squaresAreSummedInDouble(int count) {
        for (Fill fill : Fill.values()) {
            float[] x = fill.numbers(count, 1);
            double exact = 0;
            for (float number : x) exact += (double) number * number;
            try (TensorArena.Scope scope = arena.scope()) {
                assertThat(backend.optimisation().sumOfSquares(backend.tensor(arena, x, count)))
                        .isCloseTo(exact, within(count * 0x1p-53 * exact));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 17, 16_385, 40_001})
    void adamWDecaysMovesAndRemembers(int count) {
        AdamW settings = new AdamW(2e-3, 0.9, 0.999, 1e-6, 1e-2);
        float[] p = Fill.RANDOM.numbers(count, 1);
        float[] m = Fill.RANDOM.numbers(count, 2);
        float[] v = Fill.RANDOM.numbers(count, 3);
        float[] g = Fill.RANDOM.numbers(count, 4);
        for (int i = 0; i < count; i++) {
            v[i] = v[i] * v[i];
            if (i % 5 == 1) g[i] *= 1e-6f;
            if (i % 7 == 2) m[i] = v[i] = 0;
        }
        for (int step : new int[] {1, 2, 1000}) {
            for (float factor : new float[] {1, 0.125f, 0}) {
                Bounded[] pNew = new Bounded[count];
                Bounded[] mNew = new Bounded[count];
                Bounded[] vNew = new Bounded[count];
                for (int i = 0; i < count; i++) {
                    Bounded gradient = Bounded.of(g[i]).times(factor);
                    mNew[i] = Bounded.of(m[i]).times(setting(settings.beta1()))
                            .plus(gradient.times(setting(1 - settings.beta1())));
                    vNew[i] = Bounded.of(v[i]).times(setting(settings.beta2()))
                            .plus(gradient.times(gradient).times(setting(1 - settings.beta2())));
                    double correction1 = 1 - Math.pow(settings.beta1(), step);
                    double correction2 = Math.sqrt(1 - Math.pow(settings.beta2(), step));
                    Bounded denominator = root(vNew[i]).over(setting(correction2)).plus(setting(settings.eps()));
                    pNew[i] = Bounded.of(p[i]).times(setting(1 - settings.learningRate() * settings.weightDecay()))
                            .minus(mNew[i].over(denominator).times(setting(settings.learningRate() / correction1)));
                }
                try (TensorArena.Scope scope = arena.scope()) {
                    Tensor pTensor = backend.tensor(arena, p, count);
                    Tensor mTensor = backend.tensor(arena, m, count);
                    Tensor vTensor = backend.tensor(arena, v, count);
                    backend.optimisation().adamW(
                            pTensor, backend.tensor(arena, g, count), mTensor, vTensor, settings, step, factor);
                    Bounded.assertAllWithin("m", backend.toArray(mTensor), mNew);
                    Bounded.assertAllWithin("v", backend.toArray(vTensor), vNew);
                    Bounded.assertAllWithin("p", backend.toArray(pTensor), pNew);
                }
            }
        }
    }

    /// A setting given in double and rounded once.
    private static Bounded setting(double value) {
        return new Bounded(value, Bounded.HALF_ULP * Math.abs(value));
    }

    private static Bounded root(Bounded x) {
        double root = Math.sqrt(x.value());
        double least = Math.sqrt(Math.max(x.value() - x.error(), 0));
        return new Bounded(root, (root + least == 0 ? Math.sqrt(x.error()) : x.error() / (root + least))
                + Bounded.HALF_ULP * root);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 17, 16_385, 40_001})
    void theAverageMovesTowardsTheValue(int count) {
        float[] average = Fill.RANDOM.numbers(count, 1);
        float[] value = Fill.RANDOM.numbers(count, 2);
        for (float weight : new float[] {0, 0.001f, 0.75f, 1}) {
            Bounded[] expected = new Bounded[count];
            for (int i = 0; i < count; i++) {
                Bounded gap = Bounded.of(average[i]).minus(Bounded.of(value[i]));
                expected[i] = Bounded.of(average[i]).minus(gap.times(weight));
            }
            try (TensorArena.Scope scope = arena.scope()) {
                Tensor moved = backend.tensor(arena, average, count);
                backend.optimisation().moveTowards(moved, backend.tensor(arena, value, count), weight);
                Bounded.assertAllWithin("average", backend.toArray(moved), expected);
            }
        }
    }
}
