package nocturne.cpu;

import java.lang.foreign.MemorySegment;
import nocturne.tensor.Products;
import nocturne.tensor.Tensor;
import nocturne.tensor.Weight;
import org.jspecify.annotations.Nullable;

/// Products by OpenBLAS, cut by rows or columns of the result into one piece for each thread.
final class CpuProducts implements Products {
    /// Below this many multiply-adds a second thread costs more than it brings.
    private static final long WORTH_SPLITTING = 1L << 19;
    /// Pieces begin at multiples of this, so that BLAS's inner tiles stay whole.
    private static final int PIECE_ALIGNMENT = 16;

    private final Workers workers;

    CpuProducts(Workers workers) {
        this.workers = workers;
    }

    @Override
    public void linear(Tensor x, Weight w, @Nullable Tensor bias, Tensor y) {
        Tensor weight = numbers(w);
        if (bias == null) {
            product(x, false, weight, true, 1, 0, y);
            return;
        }
        int columns = y.columns();
        MemorySegment from = bias.data();
        MemorySegment to = y.data();
        for (long r = 0; r < y.rows(); r++) MemorySegment.copy(from, 0, to, r * columns * 4, columns * 4L);
        product(x, false, weight, true, 1, 1, y);
    }

    @Override
    public void linearBackward(Tensor dy, Weight w, float beta, Tensor dx) {
        product(dy, false, numbers(w), false, 1, beta, dx);
    }

    private static Tensor numbers(Weight weight) {
        if (weight instanceof Tensor tensor) return tensor;
        throw new IllegalArgumentException("a weight " + weight.shape() + " that another device keeps");
    }

    @Override
    public void product(Tensor a, boolean transposeA, Tensor b, boolean transposeB, float alpha, float beta, Tensor c) {
        int m = transposeA ? a.columns() : a.rows();
        int k = transposeA ? a.rows() : a.columns();
        int n = transposeB ? b.rows() : b.columns();
        if ((transposeB ? b.columns() : b.rows()) != k || c.rows() != m || c.columns() != n) {
            throw new IllegalArgumentException("product: %s%s by %s%s into %s".formatted(
                    a.shape(), transposeA ? "^T" : "", b.shape(), transposeB ? "^T" : "", c.shape()));
        }
        if (m == 0 || n == 0) return;
        long pa = a.data().address();
        long pb = b.data().address();
        long pc = c.data().address();
        int lda = a.columns();
        int ldb = b.columns();
        if (m == 1 && !transposeA) {
            // One row: BLAS would pack the whole matrix for a single use.
            Blas.productWithVector(!transposeB, b.rows(), b.columns(), alpha, pb, ldb, pa, beta, pc);
            return;
        }
        boolean byRows = m >= n;
        int pieces = (long) m * n * k < WORTH_SPLITTING ? 1 : workers.count();
        int extent = byRows ? m : n;
        int step = (extent + pieces - 1) / pieces;
        int width = pieces == 1 ? extent : (step + PIECE_ALIGNMENT - 1) / PIECE_ALIGNMENT * PIECE_ALIGNMENT;
        int needed = (extent + width - 1) / width;
        if (needed == 1) {
            Blas.product(transposeA, transposeB, m, n, k, alpha, pa, lda, pb, ldb, beta, pc, n);
            return;
        }
        workers.run(needed, (piece, worker) -> {
            int from = piece * width;
            int size = Math.min(width, extent - from);
            if (byRows) {
                long shiftedA = pa + 4L * from * (transposeA ? 1 : lda);
                Blas.product(transposeA, transposeB, size, n, k, alpha, shiftedA, lda, pb, ldb, beta,
                        pc + 4L * from * n, n);
            } else {
                long shiftedB = pb + 4L * from * (transposeB ? ldb : 1);
                Blas.product(transposeA, transposeB, m, size, k, alpha, pa, lda, shiftedB, ldb, beta, pc + 4L * from,
                        n);
            }
        });
    }
}
