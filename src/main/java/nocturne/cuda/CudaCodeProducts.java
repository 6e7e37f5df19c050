package nocturne.cuda;

import java.lang.foreign.MemorySegment;
import nocturne.io.DType;
import nocturne.tensor.Shape;
import nocturne.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// Products of 8-bit codes: of e4m3 by the device's library, where it takes them, else by the kernels of
/// `kernels/code_products.cu`; and what brings numbers to codes, `kernels/quantise.cu`.
///
/// Codes are [DType#I8], of which -128 occurs in weights alone, or [DType#F8_E4M3], which needs a card from sm_89 on;
/// both operands of a product are of one type. A matrix of codes has a float32 scale for each row: row `r` stands for
/// `scale[r] * codes[r]`.
///
/// One tensor of weight codes serves both directions. With `W[n, k] = s[n] q[n, k]`, the layer computes
/// `Y = X W^T` from `q` and `s`, and its gradient `dX[m, k] = sum_n (dY[m, n] s[n]) q[n, k]` from `dY` quantised after
/// `s` was folded into it, and from `q` transposed: no weight is rounded a second time.
final class CudaCodeProducts implements AutoCloseable {
    private static final TileShape TILE = new TileShape(128, 128, 256, 2);
    private static final int ROW_THREADS = 256;
    private static final int TRANSPOSE_THREADS = 256;
    /// `SIDE` in `kernels/quantise.cu`.
    private static final int TRANSPOSE_SIDE = 128;

    private static final StorageKernel TO_INT8 = StorageKernel.named("quantise_rows_int8");
    private static final StorageKernel TO_E4M3 = StorageKernel.named("quantise_rows_e4m3");

    private static final int FILL_THREADS = 256;

    private final Device device;
    private final @Nullable LibraryProducts library;
    private final Arguments arguments = new Arguments();
    /// Scales for the library, which multiplies with none other than given ones; the first of them are 1.
    private final Scratch ones;
    private int onesThere;

    CudaCodeProducts(Device device) {
        this.device = device;
        library = device.libraryProducts().orElse(null);
        ones = new Scratch(device);
    }

    /// `scale[r] = max |v[r]| / L`, `codes[r] = round(v[r] / scale[r])` with `v[r, c] = x[r, c] * columnScale[c]` and
    /// the largest code L, 127 or 448. A row that holds a NaN or an infinity gets the scale NaN.
    ///
    /// @param x           `[rows, columns]`, float32 or bf16
    /// @param columnScale float32 `[columns]`, or null for 1
    /// @param codes       `[rows, columns]`
    /// @param scales      float32 `[rows]`
    void quantiseRows(Tensor x, @Nullable Tensor columnScale, Tensor codes, Tensor scales) {
        if (codes.rows() != x.rows() || codes.columns() != x.columns() || !holds(scales, x.rows())
                || columnScale != null && !holds(columnScale, x.columns())) {
            throw new IllegalArgumentException("quantise %s by %s to %s with scales %s".formatted(x, columnScale, codes,
                    scales));
        }
        if (x.elements() == 0) return;
        arguments.start().pointer(x).pointer(columnScale).pointer(codes).pointer(scales).integer(x.columns());
        device.launch((isE4m3(codes) ? TO_E4M3 : TO_INT8).on(x), x.rows(), ROW_THREADS, arguments);
    }

    /// `y[m, n] = xScale[m] wScale[n] sum_k x[m, k] w[n, k] + bias[n] + beta y[m, n]`
    ///
    /// @param x      codes `[M, K]`
    /// @param xScale float32 `[M]`
    /// @param w      codes `[N, K]`
    /// @param wScale float32 `[N]`, or null for 1
    /// @param bias   `[N]` or null, float32 or bf16
    /// @param y      `[M, N]`, float32 or bf16; with `beta == 0` it is overwritten whatever it held
    /// @param fastSums whether sums of e4m3 may be kept in fewer bits than float32 has, where that is faster
    void product(Tensor x, Tensor xScale, Tensor w, @Nullable Tensor wScale, @Nullable Tensor bias, float beta,
            Tensor y, boolean fastSums) {
        int depth = x.columns();
        if (w.columns() != depth || y.rows() != x.rows() || y.columns() != w.rows() || !holds(xScale, x.rows())
                || wScale != null && !holds(wScale, w.rows()) || bias != null && bias.elements() != w.rows()
                || x.type() != w.type()) {
            throw new IllegalArgumentException("product of codes: %s * %s by %s * %s + %s into %s"
                    .formatted(xScale, x, wScale, w, bias, y));
        }
        if (y.elements() == 0) return;
        if (library != null && isE4m3(x)
                && library.codeProduct(x, xScale, w, wScale == null ? ones(w.rows()) : wScale, bias, beta, y,
                        fastSums)) {
            return;
        }
        arguments.start().pointer(x).pointer(xScale).pointer(w).pointer(wScale).typed(bias).typed(y)
                .integer(y.rows()).integer(y.columns()).integer(depth).number(beta);
        device.launch(isE4m3(x) ? "code_product_e4m3" : "code_product_int8", TILE.tiles(y.rows(), y.columns()), 1, 1,
                TILE.threads(), 1, 1, TILE.sharedBytes(), arguments);
    }

    private Tensor ones(int count) {
        MemorySegment memory = ones.floats(count);
        if (count > onesThere) {
            arguments.start().pointer(memory).number(1).longInteger(count);
            device.launch("fill_f32", Blocks.covering(count, FILL_THREADS), FILL_THREADS, arguments);
            onesThere = count;
        }
        return new Tensor(Shape.of(count), DType.F32, memory.asSlice(0, (long) Float.BYTES * count));
    }

    /// @param codes      `[rows, columns]`
    /// @param transposed `[columns, rows]`; not `codes`
    void transpose(Tensor codes, Tensor transposed) {
        if (codes.type() != transposed.type() || codes.type().bytes() != 1 || codes.rows() != transposed.columns()
                || codes.columns() != transposed.rows()) {
            throw new IllegalArgumentException("transpose %s into %s".formatted(codes, transposed));
        }
        if (codes.elements() == 0) return;
        arguments.start().pointer(codes).pointer(transposed).integer(codes.rows()).integer(codes.columns());
        device.launch("transpose_codes", Blocks.covering(codes.columns(), TRANSPOSE_SIDE),
                Blocks.covering(codes.rows(), TRANSPOSE_SIDE), 1, TRANSPOSE_THREADS, 1, 1, 0, arguments);
    }

    @Override
    public void close() {
        ones.close();
        onesThere = 0;
    }

    private static boolean holds(Tensor scales, int count) {
        return scales.type() == DType.F32 && scales.elements() == count;
    }

    private static boolean isE4m3(Tensor codes) {
        if (codes.type() == DType.F8_E4M3) return true;
        if (codes.type() == DType.I8) return false;
        throw new IllegalArgumentException("codes are I8 or F8_E4M3, not " + codes);
    }
}
