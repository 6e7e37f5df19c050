package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import nocturne.io.DType;
import nocturne.tensor.Convolution;
import nocturne.tensor.Convolution.Grid;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// The kernels of `kernels/convolution.cu` against the CPU backend, see [Twins].
class ConvolutionTwinTest {
    /// A sum of so many products of up to 8 each, on both sides.
    private static double units(int in) {
        return 8.0 * (9 * in + 4);
    }

    /// One pixel; channels that fill a 16-byte access and channels that do not; a picture's three colours; results of
    /// more than one tile in both directions; strips of one row and one column.
    @ParameterizedTest(name = "{0} {1} x {2}, {3} to {4}")
    @CsvSource({
        "SAME, 1, 1, 8, 1", "SAME, 5, 3, 3, 17", "SAME, 1, 9, 16, 8", "SAME, 12, 11, 8, 104", "HALF, 2, 2, 3, 2",
        "HALF, 6, 10, 40, 5", "HALF, 24, 26, 8, 96", "DOUBLE, 1, 1, 2, 3", "DOUBLE, 5, 7, 16, 8", "DOUBLE, 7, 1, 24, 33"
    })
    void neighbourhoodsAreSummed(Grid grid, int height, int width, int in, int out) {
        int results = grid.extent(height) * grid.extent(width);
        for (DType type : new DType[] {DType.F32, DType.BF16}) {
            Twins.compare(type, units(in), side -> {
                Convolution convolution = side.backend().convolution();
                Tensor x = side.given("x", height * width, in);
                Tensor weight = side.given("weight", out, 9 * in);
                Tensor bias = side.given("bias", out);
                convolution.convolve3x3(x, height, width, grid, weight, bias, false, side.result("y", results, out));
                Tensor added = side.changed("added", results, out);
                convolution.convolve3x3(x, height, width, grid, weight, bias, true, added);
            });
        }
    }

    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F32", "BF16"})
    void slicesMayBeginAnywhere(DType type) {
        Twins.compare(type, units(8), side -> {
            Convolution convolution = side.backend().convolution();
            Tensor x = side.given("x", 500).slice(3, 12, 8);
            Tensor weight = side.given("weight", 2000).slice(5, 16, 72);
            Tensor bias = side.given("bias", 40).slice(1, 16);
            Tensor y = side.changed("y", 500).slice(7, 12, 16);
            convolution.convolve3x3(x, 3, 4, Grid.SAME, weight, bias, false, y);
            Tensor normed = side.changed("normed", 500).slice(9, 12, 8);
            convolution.channelNorm(x, side.given("gamma", 20).slice(1, 8), true, normed);
        });
    }

    /// Channels of one number, of ragged and of whole packs, of more than one for each lane; the first pixel is all
    /// zeros.
    @ParameterizedTest(name = "{0} pixels of {1} channels, silu {2}")
    @CsvSource({"1, 1, false", "7, 4, true", "9, 37, true", "33, 96, false", "3, 520, true"})
    void everyPixelsChannelsAreScaledToOneLength(int pixels, int channels, boolean silu) {
        for (DType type : new DType[] {DType.F32, DType.BF16}) {
            // A sum of squares, a root, a quotient, an exponential.
            Twins.compare(type, channels + 24, side -> {
                float[] numbers = Side.normal("x", pixels, channels);
                Arrays.fill(numbers, 0, channels, 0);
                Convolution convolution = side.backend().convolution();
                Tensor gamma = side.given("gamma", channels);
                Tensor x = side.given("x", numbers, pixels, channels);
                convolution.channelNorm(x, gamma, silu, side.result("y", pixels, channels));
                Tensor inPlace = side.changed("in place", pixels, channels);
                convolution.channelNorm(inPlace, gamma, silu, inPlace);
            });
        }
    }

    @Test
    void shapesThatDoNotFitAreRefused() {
        try (CudaBackend backend = new CudaBackend(new SimulatedDevice(), DType.BF16);
                TensorArena arena = backend.newArena()) {
            Tensor x = arena.allocate(12, 2);
            Tensor weight = arena.allocate(4, 18);
            Tensor bias = arena.allocate(4);
            Convolution convolution = backend.convolution();
            assertThatThrownBy(() -> convolution.convolve3x3(x, 4, 4, Grid.SAME, weight, bias, false,
                    arena.allocate(16, 4))).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> convolution.convolve3x3(x, 3, 4, Grid.HALF, weight, bias, false,
                    arena.allocate(2, 4))).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> convolution.convolve3x3(x, 3, 4, Grid.SAME, weight, bias, false,
                    arena.allocate(DType.F32, 12, 4))).isInstanceOf(IllegalArgumentException.class);
        }
    }
}
