package nocturne.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import nocturne.tensor.Convolution.Grid;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Checked against the definition, summed in double one tap at a time. The bound is 2^-24 relative error for each of
/// the `9 in` summands, whose magnitudes stay below 3, added up without cancellation: far above what is seen.
class CpuConvolutionTest {
    private final SplittableRandom random = new SplittableRandom(5);

    /// Sizes with one pixel, ragged channels, and more pixels than one strip holds.
    @ParameterizedTest
    @CsvSource({
        "SAME, 1, 1, 3, 2, false", "SAME, 5, 3, 4, 17, false", "SAME, 40, 37, 5, 3, true", "SAME, 9, 16, 97, 33, true",
        "HALF, 2, 2, 3, 2, false", "HALF, 6, 10, 4, 5, true", "HALF, 80, 64, 3, 4, false",
        "DOUBLE, 1, 1, 2, 3, false", "DOUBLE, 5, 7, 16, 8, true", "DOUBLE, 20, 33, 3, 5, false"
    })
    void convolutionIsTheSumOverTheNeighbourhood(Grid grid, int height, int width, int in, int out, boolean add) {
        float[] x = numbers(height * width * in);
        float[] weight = numbers(out * 9 * in);
        float[] bias = numbers(out);
        int pixels = grid.extent(height) * grid.extent(width);
        float[] before = numbers(pixels * out);
        double[] expected = convolved(x, height, width, in, grid, weight, bias, out);
        double bound = 9 * in * 9 * Math.scalb(1.0, -24) + 1e-6;
        float[] y = run(2, x, height, width, in, grid, weight, bias, add, before, out);
        for (int i = 0; i < y.length; i++) {
            assertThat((double) y[i]).as("y[%d]", i).isCloseTo(expected[i] + (add ? before[i] : 0), within(bound));
        }
    }

    @Test
    void everyNumberOfThreadsGivesTheSameBits() {
        float[] x = numbers(60 * 50 * 20);
        float[] weight = numbers(12 * 180);
        float[] bias = numbers(12);
        float[] before = new float[60 * 50 * 12];
        float[] one = run(1, x, 60, 50, 20, Grid.SAME, weight, bias, false, before, 12);
        for (int threads = 2; threads <= 4; threads++) {
            assertThat(run(threads, x, 60, 50, 20, Grid.SAME, weight, bias, false, before, 12))
                    .as("%d threads", threads).isEqualTo(one);
        }
    }

    @Test
    void shapesThatDoNotFitAreRefused() {
        try (CpuBackend backend = new CpuBackend(1); TensorArena arena = backend.newArena()) {
            Tensor x = arena.allocate(12, 2);
            Tensor weight = arena.allocate(4, 18);
            Tensor bias = arena.allocate(4);
            assertThatThrownBy(() -> backend.convolution()
                            .convolve3x3(x, 4, 4, Grid.SAME, weight, bias, false, arena.allocate(12, 4)))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> backend.convolution()
                            .convolve3x3(x, 3, 4, Grid.HALF, weight, bias, false, arena.allocate(2, 4)))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 1, false", "7, 4, true", "33, 37, true", "600, 96, false"})
    void everyPixelsChannelsAreScaledToOneLength(int rows, int channels, boolean silu) {
        float[] x = numbers(rows * channels);
        for (int c = 0; c < channels; c++) x[c] = 0;   // a pixel of length 0 stays 0
        float[] gamma = numbers(channels);
        try (CpuBackend backend = new CpuBackend(2); TensorArena arena = backend.newArena()) {
            Tensor y = backend.tensor(arena, x, rows, channels);
            backend.convolution().channelNorm(y, backend.tensor(arena, gamma, channels), silu, y);
            float[] found = backend.toArray(y);
            for (int r = 0; r < rows; r++) {
                double squares = 0;
                for (int c = 0; c < channels; c++) squares += (double) x[r * channels + c] * x[r * channels + c];
                double length = Math.max(Math.sqrt(squares), 1e-12);
                for (int c = 0; c < channels; c++) {
                    double v = x[r * channels + c] / length * Math.sqrt(channels) * gamma[c];
                    double expected = silu ? v / (1 + Math.exp(-v)) : v;
                    assertThat((double) found[r * channels + c]).isCloseTo(expected, within(2e-5));
                }
            }
        }
    }

    private float[] numbers(int count) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) numbers[i] = (float) random.nextDouble(-1.7, 1.7);
        return numbers;
    }

    private static float[] run(int threads, float[] x, int height, int width, int in, Grid grid, float[] weight,
            float[] bias, boolean add, float[] before, int out) {
        try (CpuBackend backend = new CpuBackend(threads); TensorArena arena = backend.newArena()) {
            Tensor y = backend.tensor(arena, before, before.length / out, out);
            backend.convolution().convolve3x3(backend.tensor(arena, x, height * width, in), height, width, grid,
                    backend.tensor(arena, weight, out, 9 * in), backend.tensor(arena, bias, out), add, y);
            return backend.toArray(y);
        }
    }

    private static double[] convolved(float[] x, int height, int width, int in, Grid grid, float[] weight, float[] bias,
            int out) {
        int outHeight = grid.extent(height);
        int outWidth = grid.extent(width);
        int step = grid == Grid.HALF ? 2 : 1;
        int start = grid == Grid.HALF ? 0 : -1;
        int zoom = grid == Grid.DOUBLE ? 2 : 1;
        double[] y = new double[outHeight * outWidth * out];
        for (int i = 0; i < y.length; i++) {
            int o = i % out;
            int row = i / out / outWidth * step + start;
            int column = i / out % outWidth * step + start;
            y[i] = bias[o];
            for (int tap = 0; tap < 9; tap++) {
                int sy = row + tap / 3;
                int sx = column + tap % 3;
                if (sy < 0 || sy >= zoom * height || sx < 0 || sx >= zoom * width) continue;
                for (int c = 0; c < in; c++) {
                    y[i] += (double) x[((sy / zoom) * width + sx / zoom) * in + c] * weight[(o * 9 + tap) * in + c];
                }
            }
        }
        return y;
    }
}
