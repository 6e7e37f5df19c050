package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import nocturne.cuda.SimulatedDevice.Order;
import nocturne.io.DType;
import nocturne.quant.QuantizedMatrix;
import nocturne.quant.Rounding;
import nocturne.quant.WeightType;
import nocturne.tensor.EightBitProducts;
import nocturne.tensor.EightBitProducts.Trial;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import nocturne.tensor.Weight;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// A layer's products from 8-bit codes, against the numbers that the weight means, and the choice of the layers.
class EightBitProductsTest {
    /// No extent is a multiple of tiles.
    private static final int TOKENS = 70;
    private static final int OUT = 96;
    private static final int IN = 192;
    private static final CudaSettings SETTINGS = new CudaSettings(DType.BF16, ProductMode.EIGHT_BIT);

    static Stream<Arguments> formats() {
        return Stream.of(WeightType.values()).filter(WeightType::isApplied).flatMap(type ->
                Stream.of(DType.F32, DType.BF16).map(activations -> Arguments.of(type, activations)));
    }

    /// With some three standard deviations for a row's largest code, an int8 is off by 3 / 127 / sqrt(12) = 0.7 % of
    /// one; an e4m3 by at most a sixteenth of itself, 2.6 % on average. A weight that is brought to int8 first adds the
    /// same once more, and what is stored as bf16 0.2 %.
    @ParameterizedTest(name = "{0}, {1} activations")
    @MethodSource("formats")
    void bothProductsAreOffByTheRoundingOfActivationsAlone(WeightType type, DType activations) {
        boolean e4m3 = type == WeightType.FLOAT8 || type == WeightType.QFLOAT8;
        double most = e4m3 ? 0.030 : type.bits() == Byte.SIZE ? 0.010 : 0.014;
        double least = e4m3 ? 0.020 : 0.005;
        float[] x = Side.normal("x", TOKENS, IN);
        float[] dy = Side.normal("dy", TOKENS, OUT);
        float[] bias = Side.normal("bias", OUT);
        float[] before = Side.normal("before", TOKENS, IN);
        float[] first = null;
        for (Order order : List.of(Order.ASCENDING, Order.SHUFFLED)) {
            try (Bench bench = new Bench(order, new CudaSettings(activations, ProductMode.EIGHT_BIT), true)) {
                QuantizedMatrix matrix = bench.matrix(type, Side.normal("w", OUT, IN));
                Weight w = bench.keep(matrix);
                Trial trial = bench.choose(1, w, x, dy);
                assertThat(trial.chosen()).isTrue();
                Tensor dx = bench.tensor(before, TOKENS, IN);
                float[] y = bench.linear(x, w, bias);
                bench.backend.products().linearBackward(bench.tensor(dy, TOKENS, OUT), w, 1, dx);
                float[] added = bench.backend.toArray(dx);

                float[] numbers = bench.numbers(matrix);
                double[] exactY = product(x, numbers, bias);
                double[] exactDx = productBackward(dy, numbers, before);
                // Bias and what was there are exact and make both norms larger, by less than 1 % each.
                assertThat(relativeError(y, exactY)).as("y").isBetween(least, most);
                assertThat(relativeError(added, exactDx)).as("dx").isBetween(least, most);
                assertThat(trial.forward()).isCloseTo(relativeError(y, exactY), within(0.002));
                assertThat(trial.backward()).isCloseTo(relativeError(added, exactDx), within(0.002));
                if (first == null) first = y;
                assertThat(y).as("%s", order).isEqualTo(first);
            }
        }
    }

    /// One activation in each row is 200 times the others, on a channel that the weight takes little of: in int8 the
    /// others have four codes left, in e4m3 as many as ever.
    @ParameterizedTest
    @EnumSource(value = WeightType.class, names = {"INT8", "UINT4", "FLOAT8"})
    void activationsFarApartAreRefusedInInt8(WeightType type) {
        float[] x = Side.normal("x", TOKENS, IN);
        float[] w = Side.normal("w", OUT, IN);
        for (int row = 0; row < TOKENS; row++) x[row * IN + 7] = 200;
        for (int row = 0; row < OUT; row++) w[row * IN + 7] *= 0.001f;
        float[] dy = Side.normal("dy", TOKENS, OUT);
        try (Bench bench = new Bench(Order.ASCENDING, SETTINGS, true);
                Bench exact = new Bench(Order.ASCENDING, CudaSettings.of(DType.BF16), true)) {
            Weight weight = bench.keep(bench.matrix(type, w));
            Trial trial = bench.choose(0.1, weight, x, dy);
            boolean survives = type == WeightType.FLOAT8;
            assertThat(trial.chosen()).as("%s", trial).isEqualTo(survives);
            assertThat(trial.forward()).isBetween(survives ? 0.0 : 0.2, survives ? 0.04 : 1.0);
            assertThat(trial.backward()).as("gradients are even").isLessThan(0.04);
            float[] decoded = exact.linear(x, exact.keep(exact.matrix(type, w)), null);
            assertThat(bench.linear(x, weight, null)).satisfies(y -> {
                if (survives) assertThat(y).isNotEqualTo(decoded);
                else assertThat(y).as("as without").isEqualTo(decoded);
            });
        }
    }

    /// A trial takes 512 rows at a time: what is wrong in the last few of 530 counts.
    @Test
    void everyRowIsTried() {
        int tokens = 530;
        float[] x = Side.normal("x", tokens, IN);
        for (int row = 512; row < tokens; row++) x[row * IN + 7] = 1e4f;
        float[] w = Side.normal("w", OUT, IN);
        for (int row = 0; row < OUT; row++) w[row * IN + 7] = 0;
        try (Bench bench = new Bench(Order.ASCENDING, SETTINGS, true)) {
            Weight weight = bench.keep(bench.matrix(WeightType.INT8, w));
            Trial trial = bench.choose(1, weight, x, Side.normal("dy", tokens, OUT));
            // These rows are lost altogether: all their share of the norm.
            assertThat(trial.forward()).isCloseTo(Math.sqrt(18 / 530.0), within(0.02));
        }
    }

    @Test
    void aTrialGoesOnWithTheExactResults() {
        float[] x = Side.normal("x", TOKENS, IN);
        float[] w = Side.normal("w", OUT, IN);
        try (Bench bench = new Bench(Order.ASCENDING, SETTINGS, true);
                Bench exact = new Bench(Order.ASCENDING, CudaSettings.of(DType.BF16), true)) {
            Weight weight = bench.keep(bench.matrix(WeightType.INT8, w));
            float[][] meanwhile = new float[1][];
            bench.eightBit().choose(Map.of("layer", weight), 1, () -> meanwhile[0] = bench.linear(x, weight, null));
            assertThat(meanwhile[0])
                    .isEqualTo(exact.linear(x, exact.keep(exact.matrix(WeightType.INT8, w)), null));
        }
    }

    /// A layer is chosen only if both its products were seen, and can be given up again.
    @Test
    void whatWasNotTriedIsNotChosen() {
        float[] x = Side.normal("x", TOKENS, IN);
        float[] dy = Side.normal("dy", TOKENS, OUT);
        float[] w = Side.normal("w", OUT, IN);
        try (Bench bench = new Bench(Order.ASCENDING, SETTINGS, true)) {
            Weight weight = bench.keep(bench.matrix(WeightType.INT8, w));
            float[] decoded = bench.linear(x, weight, null);
            Map<String, Weight> layers = Map.of("layer", weight);
            EightBitProducts eightBit = bench.eightBit();
            assertThat(eightBit.choose(layers, 1, () -> {})).containsExactly(new Trial("layer", -1, -1, false));
            assertThat(eightBit.choose(layers, 1, () -> bench.linear(x, weight, null)))
                    .singleElement().matches(trial -> trial.forward() > 0 && !trial.chosen());
            assertThat(bench.linear(x, weight, null)).isEqualTo(decoded);
            assertThat(bench.choose(1, weight, x, dy).chosen()).isTrue();
            assertThat(bench.linear(x, weight, null)).isNotEqualTo(decoded);
            assertThatThrownBy(() -> eightBit.choose(layers, 1, () -> {
                throw new IllegalStateException("the pass failed");
            })).hasMessage("the pass failed");
            assertThat(bench.linear(x, weight, null)).isEqualTo(decoded);
            float[] broken = x.clone();
            broken[3 * IN] = Float.NaN;
            assertThat(bench.choose(1, weight, broken, dy)).matches(trial -> !trial.chosen());
        }
    }

    /// Queries, keys and values read one input. Three layers of two kinds of codes, between which another input comes
    /// and a gradient: each finds its own, and neighbours of one kind quantise once.
    @Test
    void whatSeveralLayersReadIsQuantisedOnce() {
        float[] x = Side.normal("x", TOKENS, IN);
        float[] dy = Side.normal("dy", TOKENS, OUT);
        CountingDevice device = new CountingDevice();
        try (Bench bench = new Bench(device, SETTINGS)) {
            Weight int8 = bench.keep(bench.matrix(WeightType.INT8, Side.normal("a", OUT, IN)));
            Weight other = bench.keep(bench.matrix(WeightType.QINT8, Side.normal("b", OUT, IN)));
            Weight e4m3 = bench.keep(bench.matrix(WeightType.FLOAT8, Side.normal("c", OUT, IN)));
            for (Weight weight : List.of(int8, other, e4m3)) bench.choose(1, weight, x, dy);
            float[][] alone =
                    {bench.linear(x, int8, null), bench.linear(x, other, null), bench.linear(x, e4m3, null)};
            Tensor input = bench.tensor(x, TOKENS, IN);

            device.quantisations = 0;
            bench.backend.products().sharing(input, () -> {
                assertThat(bench.linear(input, int8)).isEqualTo(alone[0]);
                assertThat(bench.linear(input, other)).isEqualTo(alone[1]);
                assertThat(device.quantisations).as("once for two layers").isOne();
                assertThat(bench.linear(input, e4m3)).isEqualTo(alone[2]);
                assertThat(bench.linear(input, int8)).as("after other codes").isEqualTo(alone[0]);
                assertThat(bench.linear(Side.normal("z", TOKENS, IN), other, null))
                        .as("of another input").isNotEqualTo(alone[1]);
                assertThat(bench.linear(input, other)).as("after another input").isEqualTo(alone[1]);
                bench.backend.products().linearBackward(bench.tensor(dy, TOKENS, OUT), int8, 0,
                        bench.tensor(x, TOKENS, IN));
                assertThat(bench.linear(input, int8)).as("after a gradient").isEqualTo(alone[0]);
            });
            bench.backend.write(Side.normal("z", TOKENS, IN), input);
            assertThat(bench.linear(input, int8)).as("written to afterwards").isNotEqualTo(alone[0]);
        }
    }

    /// Cards before Ada have no e4m3 tensor cores; numbers that are no codes are nothing to choose.
    @Test
    void whatTheDeviceDoesNotMultiplyIsNotTried() {
        float[] w = Side.normal("w", OUT, IN);
        try (Bench bench = new Bench(Order.ASCENDING, SETTINGS, false)) {
            Weight e4m3 = bench.keep(bench.matrix(WeightType.FLOAT8, w));
            Weight numbers = bench.tensor(w, OUT, IN);
            assertThat(bench.eightBit().choose(Map.of("e4m3", e4m3, "numbers", numbers), 1, () -> {})).isEmpty();
            Weight int8 = bench.keep(bench.matrix(WeightType.INT8, w));
            assertThat(bench.eightBit().choose(Map.of("int8", int8), 1, () -> {})).hasSize(1);
        }
    }

    @Test
    void nothingIsInEightBitsUnlessAskedFor() {
        try (Bench bench = new Bench(Order.ASCENDING, CudaSettings.of(DType.BF16), true)) {
            assertThat(bench.backend.eightBitProducts()).isEmpty();
            assertThat(bench.backend.name()).endsWith("bf16)");
        }
        try (Bench bench = new Bench(Order.ASCENDING, SETTINGS, true)) {
            assertThat(bench.backend.name()).endsWith("bf16, products in 8 bits)");
        }
    }

    private static double[] product(float[] x, float[] w, float[] bias) {
        double[] y = new double[TOKENS * OUT];
        for (int t = 0; t < TOKENS; t++) {
            for (int o = 0; o < OUT; o++) {
                double sum = bias[o];
                for (int i = 0; i < IN; i++) sum += (double) x[t * IN + i] * w[o * IN + i];
                y[t * OUT + o] = sum;
            }
        }
        return y;
    }

    private static double[] productBackward(float[] dy, float[] w, float[] before) {
        double[] dx = new double[TOKENS * IN];
        for (int t = 0; t < TOKENS; t++) {
            for (int i = 0; i < IN; i++) {
                double sum = before[t * IN + i];
                for (int o = 0; o < OUT; o++) sum += (double) dy[t * OUT + o] * w[o * IN + i];
                dx[t * IN + i] = sum;
            }
        }
        return dx;
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

    /// A backend on a simulated device, and memory on it.
    private static final class Bench implements AutoCloseable {
        private final CudaBackend backend;
        private final TensorArena memory;
        private final Arena host = Arena.ofConfined();

        Bench(Order order, CudaSettings settings, boolean multipliesE4m3) {
            this(multipliesE4m3 ? Simulated.device(order, 2) : older(order), settings);
        }

        private static Device older(Order order) {
            assumeTrue(Simulated.isWanted(), "a card is as old as it is");
            return new OlderDevice(order);
        }

        Bench(Device device, CudaSettings settings) {
            backend = new CudaBackend(device, settings);
            memory = backend.newArena();
        }

        EightBitProducts eightBit() {
            return backend.eightBitProducts().orElseThrow();
        }

        QuantizedMatrix matrix(WeightType type, float[] weights) {
            return QuantizedMatrix.quantize("w", type, Rounding.F32, OUT, IN, (row, values) ->
                    System.arraycopy(weights, row * IN, values, 0, IN), host);
        }

        float[] numbers(QuantizedMatrix matrix) {
            MemorySegment numbers = host.allocate((long) Float.BYTES * OUT * IN, Float.BYTES);
            matrix.dequantize(0, OUT, numbers, 0);
            return numbers.toArray(ValueLayout.JAVA_FLOAT);
        }

        Weight keep(QuantizedMatrix matrix) {
            return backend.keep(matrix, memory);
        }

        Tensor tensor(float[] numbers, int... dims) {
            return backend.tensor(memory, numbers, dims);
        }

        float[] linear(float[] x, Weight w, float @Nullable [] bias) {
            int tokens = x.length / IN;
            Tensor y = memory.allocate(tokens, OUT);
            backend.products().linear(tensor(x, tokens, IN), w, bias == null ? null : tensor(bias, OUT), y);
            return backend.toArray(y);
        }

        float[] linear(Tensor x, Weight w) {
            Tensor y = memory.allocate(x.rows(), OUT);
            backend.products().linear(x, w, null, y);
            return backend.toArray(y);
        }

        Trial choose(double bound, Weight w, float[] x, float[] dy) {
            return eightBit().choose(Map.of("layer", w), bound, () -> {
                linear(x, w, null);
                int tokens = dy.length / OUT;
                backend.products().linearBackward(tensor(dy, tokens, OUT), w, 0, memory.allocate(tokens, IN));
            }).getFirst();
        }

        @Override
        public void close() {
            memory.close();
            host.close();
            backend.close();
        }
    }

    /// A device that counts how often something is quantised.
    private static final class CountingDevice extends SimulatedDevice {
        private int quantisations;

        @Override
        public void launch(String kernel, int gridX, int gridY, int gridZ, int blockX, int blockY, int blockZ,
                int sharedBytes, nocturne.cuda.Arguments arguments) {
            if (kernel.startsWith("quantise_rows")) quantisations++;
            super.launch(kernel, gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes, arguments);
        }
    }

    /// A device without tensor cores for e4m3.
    private static final class OlderDevice extends SimulatedDevice {
        OlderDevice(Order order) {
            super(KernelLibrary.ofTheProject(), order, 2);
        }

        @Override
        public boolean multipliesE4m3() {
            return false;
        }
    }
}
