package nocturne.cuda;

import java.lang.foreign.MemorySegment;
import nocturne.io.DType;
import nocturne.tensor.Products;
import nocturne.tensor.Tensor;
import nocturne.tensor.Weight;
import org.jspecify.annotations.Nullable;

/// Matrix products by the device's library, where it takes them, else by the kernels of `kernels/products.cu`.
///
/// Each tensor may be float32 or bf16, whatever the others are. Where both factors are float32 they are multiplied in
/// float32; else a float32 factor is rounded to bf16 first.
final class CudaProducts implements Products {
    private static final TileShape LARGE = new TileShape(128, 128, 256, 2);
    private static final TileShape NARROW = new TileShape(128, 32, 128, 4);
    private static final int FLOAT_TILE = 64;
    private static final int FLOAT_THREADS = 256;
    private static final int SUM_THREADS = 256;
    /// Numbers of depth that a tensor core kernel takes at once.
    private static final int DEPTH = 32;
    /// Where fewer products are summed, a second pass over the results costs more than more blocks bring.
    private static final int LEAST_PIECE = 256;

    /// By [#form].
    private static final String[] LARGE_KERNELS =
            {"product_large_nn", "product_large_nt", "product_large_tn", "product_large_tt"};
    private static final String[] NARROW_KERNELS =
            {"product_narrow_nn", "product_narrow_nt", "product_narrow_tn", "product_narrow_tt"};

    private final Device device;
    private final @Nullable LibraryProducts library;
    private final Scratch scratch;
    /// Room for the numbers of one weight that is kept as codes.
    private final Scratch decoded;
    private final Arguments arguments = new Arguments();

    /// @param scratch for sums
    /// @param decoded another one
    CudaProducts(Device device, Scratch scratch, Scratch decoded) {
        this.device = device;
        library = device.libraryProducts().orElse(null);
        this.scratch = scratch;
        this.decoded = decoded;
    }

    @Override
    public void linear(Tensor x, Weight w, @Nullable Tensor bias, Tensor y) {
        multiply(x, false, numbers(w, x.type()), true, bias, 1, 0, y);
    }

    @Override
    public void linearBackward(Tensor dy, Weight w, float beta, Tensor dx) {
        multiply(dy, false, numbers(w, dy.type()), false, null, 1, beta, dx);
    }

    /// What a weight means; of codes until the next call only.
    private Tensor numbers(Weight weight, DType type) {
        if (weight instanceof Tensor tensor) return tensor;
        if (weight instanceof CodedWeight coded) {
            Tensor numbers = new Tensor(coded.shape(), type, decoded.bytes(type.bytes() * coded.elements()));
            coded.decode(device, arguments, numbers);
            return numbers;
        }
        throw new IllegalArgumentException("a weight " + weight.shape() + " that another device keeps");
    }

    @Override
    public void product(Tensor a, boolean transposeA, Tensor b, boolean transposeB, float alpha, float beta, Tensor c) {
        multiply(a, transposeA, b, transposeB, null, alpha, beta, c);
    }

    private void multiply(Tensor a, boolean transposeA, Tensor b, boolean transposeB, @Nullable Tensor bias,
            float alpha, float beta, Tensor c) {
        int rows = transposeA ? a.columns() : a.rows();
        int depth = transposeA ? a.rows() : a.columns();
        int columns = transposeB ? b.rows() : b.columns();
        if ((transposeB ? b.columns() : b.rows()) != depth || c.rows() != rows || c.columns() != columns
                || bias != null && bias.elements() != columns) {
            throw new IllegalArgumentException("product: %s%s by %s%s%s into %s".formatted(a, transposeA ? "^T" : "", b,
                    transposeB ? "^T" : "", bias == null ? "" : " + " + bias, c));
        }
        if (rows == 0 || columns == 0) return;
        if (library != null && library.product(a, transposeA, b, transposeB, bias, alpha, beta, c)) return;
        if (a.type() == DType.F32 && b.type() == DType.F32) {
            multiplyFloats(a, transposeA, b, transposeB, bias, alpha, beta, c, depth);
        } else if (rows <= NARROW.columns() && rows < columns) {
            // c^T = op(b)^T op(a)^T is narrow.
            String kernel = NARROW_KERNELS[form(!transposeB, !transposeA)];
            multiplyTiles(NARROW, kernel, b, a, bias, alpha, beta, c, true, depth);
        } else {
            boolean narrow = columns <= NARROW.columns();
            String kernel = (narrow ? NARROW_KERNELS : LARGE_KERNELS)[form(transposeA, transposeB)];
            multiplyTiles(narrow ? NARROW : LARGE, kernel, a, b, bias, alpha, beta, c, false, depth);
        }
    }

    private static int form(boolean transposeA, boolean transposeB) {
        return (transposeA ? 2 : 0) + (transposeB ? 1 : 0);
    }

    private void multiplyFloats(Tensor a, boolean transposeA, Tensor b, boolean transposeB, @Nullable Tensor bias,
            float alpha, float beta, Tensor c, int depth) {
        arguments.start().typed(a).integer(transposeA ? 1 : 0).typed(b).integer(transposeB ? 1 : 0).typed(bias).typed(c)
                .integer(c.rows()).integer(c.columns()).integer(depth).number(alpha).number(beta);
        device.launch("product_floats", Blocks.covering(c.rows(), FLOAT_TILE), Blocks.covering(c.columns(), FLOAT_TILE),
                1, FLOAT_THREADS, 1, 1, 0, arguments);
    }

    /// @param swapped whether the kernel's `left` and `right` make the transpose of `c`
    private void multiplyTiles(TileShape shape, String kernel, Tensor left, Tensor right, @Nullable Tensor bias,
            float alpha, float beta, Tensor c, boolean swapped, int depth) {
        int rows = swapped ? c.columns() : c.rows();
        int columns = swapped ? c.rows() : c.columns();
        int tiles = shape.tiles(rows, columns);
        int wanted = Math.min(shape.blocksThatFillACard() / tiles, depth / LEAST_PIECE);
        int pieceDepth = Math.ceilDiv(Math.ceilDiv(depth, Math.max(1, wanted)), DEPTH) * DEPTH;
        int pieces = Blocks.covering(depth, pieceDepth);
        MemorySegment sums = pieces == 1 ? MemorySegment.NULL : scratch.floats(pieces * c.elements());
        arguments.start().typed(left).typed(right).typed(bias).typed(c).integer(swapped ? 1 : 0)
                .integer(rows).integer(columns).integer(depth).number(alpha).number(beta).pointer(sums)
                .integer(pieceDepth);
        device.launch(kernel, tiles, pieces, 1, shape.threads(), 1, 1, shape.sharedBytes(), arguments);
        if (pieces == 1) return;
        arguments.start().pointer(sums).integer(pieces).typed(bias).typed(c).integer(c.rows()).integer(c.columns())
                .number(alpha).number(beta);
        device.launch("product_sum_pieces", Blocks.covering(c.elements(), SUM_THREADS), SUM_THREADS, arguments);
    }
}
