package nocturne.cuda;

import nocturne.io.DType;
import nocturne.tensor.Convolution;
import nocturne.tensor.Tensor;

/// What the autoencoder needs, by the kernels of `kernels/convolution.cu`.
final class CudaConvolution implements Convolution {
    /// `PictureTiling` in `kernels/convolution.cu`: the autoencoder's widths are multiples of 96.
    private static final TileShape TILE = new TileShape(128, 96, 256, 2);
    private static final int FLOAT_TILE = 64;
    private static final int FLOAT_THREADS = 256;
    private static final int NORM_THREADS = 256;
    private static final int PIXELS_OF_NORM_BLOCK = NORM_THREADS / 32;

    private static final StorageKernel CONVOLVE = StorageKernel.named("convolve3x3");
    private static final StorageKernel CHANNEL_NORM = StorageKernel.named("channel_norm");

    private final Device device;
    private final Arguments arguments = new Arguments();

    CudaConvolution(Device device) {
        this.device = device;
    }

    @Override
    public void convolve3x3(Tensor x, int height, int width, Grid grid, Tensor weight, Tensor bias, boolean add,
            Tensor y) {
        int in = x.columns();
        int out = y.columns();
        int pixels = Math.multiplyExact(grid.extent(height), grid.extent(width));
        if (x.rows() != height * width || y.rows() != pixels || weight.rows() != out || weight.columns() != 9 * in
                || bias.elements() != out || grid == Grid.HALF && (height | width) % 2 != 0) {
            throw new IllegalArgumentException("convolve3x3 %s: %s (%d x %d) by %s + %s into %s"
                    .formatted(grid, x, height, width, weight, bias, y));
        }
        String kernel = CONVOLVE.on(x, weight, bias, y);
        arguments.start().pointer(x).integer(height).integer(width).integer(in)
                .integer(grid == Grid.HALF ? 2 : 1).integer(grid == Grid.HALF ? 0 : 1)
                .integer(grid == Grid.DOUBLE ? 1 : 0)
                .pointer(weight).pointer(bias).integer(add ? 1 : 0).pointer(y).integer(out);
        if (x.type() == DType.F32) {
            device.launch(kernel, Blocks.covering(pixels, FLOAT_TILE), Blocks.covering(out, FLOAT_TILE), 1,
                    FLOAT_THREADS, 1, 1, 0, arguments);
        } else {
            device.launch(kernel, TILE.tiles(pixels, out), 1, 1, TILE.threads(), 1, 1, TILE.sharedBytes(), arguments);
        }
    }

    @Override
    public void channelNorm(Tensor x, Tensor gamma, boolean silu, Tensor y) {
        arguments.start().pointer(x).pointer(gamma).integer(silu ? 1 : 0).pointer(y).longInteger(x.rows())
                .integer(x.columns());
        device.launch(CHANNEL_NORM.on(x, gamma, y), Blocks.covering(x.rows(), PIXELS_OF_NORM_BLOCK), NORM_THREADS,
                arguments);
    }
}
