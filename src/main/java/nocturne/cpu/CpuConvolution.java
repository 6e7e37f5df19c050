package nocturne.cpu;

import static nocturne.cpu.Lanes.COUNT;
import static nocturne.cpu.Lanes.FLOATS;
import static nocturne.cpu.Lanes.broadcast;
import static nocturne.cpu.Lanes.load;
import static nocturne.cpu.Lanes.store;
import static nocturne.cpu.Lanes.upTo;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import nocturne.tensor.Convolution;
import nocturne.tensor.Tensor;

/// Convolutions as products: the neighbourhoods of a strip of results are laid out as rows of a matrix that stays in
/// the cache, and BLAS multiplies it by the kernels.
///
/// Strips are cut by size alone and each writes its own rows, so the bits do not depend on the number of threads.
final class CpuConvolution implements Convolution {
    /// Floats of one strip's matrix, 4 MiB: large enough that BLAS's repacking of the kernels does not show.
    private static final int STRIP_FLOATS = 1 << 20;
    private static final int MAX_STRIP = 1024;
    private static final int MIN_STRIP = 64;
    private static final float TINY = 1e-12f;

    private final Workers workers;

    CpuConvolution(Workers workers) {
        this.workers = workers;
    }

    @Override
    public void convolve3x3(Tensor x, int height, int width, Grid grid, Tensor weight, Tensor bias, boolean add,
            Tensor y) {
        int in = x.columns();
        int out = y.columns();
        int taps = 9 * in;
        int pixels = Math.multiplyExact(grid.extent(height), grid.extent(width));
        if (x.rows() != height * width || y.rows() != pixels || weight.rows() != out || weight.columns() != taps
                || bias.elements() != out || grid == Grid.HALF && (height | width) % 2 != 0) {
            throw new IllegalArgumentException("convolve3x3 %s: %s (%d x %d) by %s + %s into %s".formatted(
                    grid, x.shape(), height, width, weight.shape(), bias.shape(), y.shape()));
        }
        Neighbourhoods neighbourhoods = new Neighbourhoods(x.data(), height, width, in, grid);
        int strip = Math.clamp(STRIP_FLOATS / taps / 16 * 16L, MIN_STRIP, MAX_STRIP);
        workers.run((pixels + strip - 1) / strip, (piece, worker) -> {
            int from = piece * strip;
            int rows = Math.min(strip, pixels - from);
            MemorySegment matrix = workers.scratch(worker, (long) strip * taps);
            neighbourhoods.copy(from, rows, matrix);
            MemorySegment target = y.data().asSlice(4L * from * out, 4L * rows * out);
            if (add) addToRows(bias.data(), target, rows, out);
            else for (long r = 0; r < rows; r++) MemorySegment.copy(bias.data(), 0, target, 4 * r * out, 4L * out);
            Blas.product(false, true, rows, out, taps, 1, matrix.address(), taps, weight.data().address(), taps, 1,
                    target.address(), out);
        });
    }

    private static void addToRows(MemorySegment bias, MemorySegment rows, int count, int columns) {
        for (int r = 0; r < count; r++) {
            long row = (long) r * columns;
            for (int c = 0; c < columns; c += COUNT) {
                VectorMask<Float> m = upTo(c, columns);
                store(load(rows, row + c, m).add(load(bias, c, m)), rows, row + c, m);
            }
        }
    }

    @Override
    public void channelNorm(Tensor x, Tensor gamma, boolean silu, Tensor y) {
        int columns = x.columns();
        float root = (float) Math.sqrt(columns);
        workers.rows(x.rows(), 8 * columns, (first, last) -> {
            for (int r = first; r < last; r++) {
                normRow(x.data(), gamma.data(), (long) r * columns, columns, root, silu, y.data());
            }
        });
    }

    private static void normRow(MemorySegment x, MemorySegment gamma, long row, int columns, float root, boolean silu,
            MemorySegment y) {
        FloatVector squares = FloatVector.zero(FLOATS);
        int c = 0;
        for (; c <= columns - COUNT; c += COUNT) {
            FloatVector v = load(x, row + c);
            squares = v.fma(v, squares);
        }
        if (c < columns) {
            FloatVector v = load(x, row + c, upTo(c, columns));
            squares = v.fma(v, squares);
        }
        float length = (float) Math.sqrt(Lanes.sum(squares));
        FloatVector scale = broadcast(root / Math.max(length, TINY));
        for (c = 0; c <= columns - COUNT; c += COUNT) {
            FloatVector v = load(x, row + c).mul(scale).mul(load(gamma, c));
            store(silu ? Lanes.silu(v) : v, y, row + c);
        }
        if (c < columns) {
            VectorMask<Float> m = upTo(c, columns);
            FloatVector v = load(x, row + c, m).mul(scale).mul(load(gamma, c, m));
            store(silu ? Lanes.silu(v) : v, y, row + c, m);
        }
    }
}
