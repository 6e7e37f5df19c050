package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import nocturne.io.DType;
import nocturne.quant.QuantizedMatrix;
import nocturne.quant.Rounding;
import nocturne.quant.WeightType;
import nocturne.tensor.Backend;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import nocturne.tensor.Weight;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// That products go to a device's library where it takes them, and come out the same wherever they are made.
final class LibraryProductsTest {
    private static final int TOKENS = 33;
    private static final int OUT = 48;
    private static final int IN = 64;

    @BeforeEach
    void needsTheSimulator() {
        assumeTrue(Simulated.isWanted(), "the simulator is not wanted");
    }

    @Test
    void theLibraryMultipliesWhatItTakesAndOurKernelsTheRest() {
        PlainLibrary library = new PlainLibrary();
        LibraryPrograms.run(() -> PlainLibrary.device(library));
        assertThat(library.products()).isEqualTo(LibraryPrograms.TAKEN);
        assertThat(library.refused()).isEqualTo(LibraryPrograms.REFUSED);
    }

    @Test
    void theNameOfTheBackendTellsOfTheLibrary() {
        try (Backend backend = new CudaBackend(PlainLibrary.device(new PlainLibrary()), DType.BF16)) {
            assertThat(backend.name()).isEqualTo("cuda (simulated, ASCENDING, bf16, products by plain loops 1.0)");
        }
    }

    /// What an e4m3 layer computes, and where. Both sides sum the same codes in float32, in another order, and store
    /// bf16.
    private record Layer(float[] y, float[] dx) {}

    @Test
    void productsOfCodesGoToTheLibraryWithTheirScales() {
        List<Boolean> fastSums = new ArrayList<>();
        PlainLibrary library = new PlainLibrary() {
            @Override
            public boolean codeProduct(Tensor x, Tensor xScale, Tensor w, Tensor wScale, @Nullable Tensor bias,
                    float beta, Tensor y, boolean fast) {
                fastSums.add(fast);
                return super.codeProduct(x, xScale, w, wScale, bias, beta, y, fast);
            }
        };
        Layer ours = layer(new SimulatedDevice(), WeightType.QFLOAT8);
        Layer theirs = layer(PlainLibrary.device(library), WeightType.QFLOAT8);
        assertClose(theirs.y, ours.y);
        assertClose(theirs.dx, ours.dx);
        // Two passes: the trial that chooses the layer, and the one after it; forward fast, backward not.
        assertThat(fastSums).containsExactly(true, false, true, false);
        assertThat(library.codeProducts()).isEqualTo(4);
    }

    @Test
    void codesOfIntegersAreOurOwnKernels() {
        PlainLibrary library = new PlainLibrary();
        Layer ours = layer(new SimulatedDevice(), WeightType.INT8);
        Layer theirs = layer(PlainLibrary.device(library), WeightType.INT8);
        assertThat(theirs.y).isEqualTo(ours.y);
        assertThat(theirs.dx).isEqualTo(ours.dx);
        assertThat(library.codeProducts()).isZero();
    }

    private static void assertClose(float[] actual, float[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.length; i++) {
            // One unit of bf16, for sums that fell on two sides of a tie.
            assertThat(Math.abs(actual[i] - expected[i])).as("[%d]", i)
                    .isLessThanOrEqualTo(Math.abs(expected[i]) * 0x1p-7f + 0x1p-12f);
        }
    }

    private static Layer layer(Device device, WeightType type) {
        float[] weights = Side.normal("w", OUT, IN);
        float[] x = Side.normal("x", TOKENS, IN);
        float[] dy = Side.normal("dy", TOKENS, OUT);
        try (CudaBackend backend = new CudaBackend(device, new CudaSettings(DType.BF16, ProductMode.EIGHT_BIT));
                TensorArena memory = backend.newArena(); Arena host = Arena.ofConfined()) {
            QuantizedMatrix matrix = QuantizedMatrix.quantize("w", type, Rounding.BF16, OUT, IN,
                    (row, values) -> System.arraycopy(weights, row * IN, values, 0, IN), host);
            Weight weight = backend.keep(matrix, memory);
            Tensor y = memory.allocate(TOKENS, OUT);
            Tensor dx = memory.allocate(TOKENS, IN);
            Runnable pass = () -> {
                backend.products().linear(backend.tensor(memory, x, TOKENS, IN), weight,
                        backend.tensor(memory, Side.normal("bias", OUT), OUT), y);
                backend.write(Side.normal("before", TOKENS, IN), dx);
                backend.products().linearBackward(backend.tensor(memory, dy, TOKENS, OUT), weight, 1, dx);
            };
            assertThat(backend.eightBitProducts().orElseThrow().choose(Map.of("layer", weight), 1, pass).getFirst()
                    .chosen()).isTrue();
            pass.run();
            return new Layer(backend.toArray(y), backend.toArray(dx));
        }
    }
}
