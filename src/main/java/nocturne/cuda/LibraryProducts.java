package nocturne.cuda;

import nocturne.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// Matrix products by a library of the device's maker: those that it has something fast for.
///
/// Each method says whether it did what was asked. Where it did not, nothing has happened, and our own kernels are to
/// do it; for the same shapes and alignments the answer, the algorithm and the bits are always the same. Work is queued
/// like that of [Device#launch].
public interface LibraryProducts {
    /// For people, such as `cuBLASLt 13.1.0`.
    String name();

    /// `c = alpha op(a) op(b) + bias + beta c`, summed in float32; `op` transposes where asked.
    ///
    /// @param a    `[rows, depth]`, or `[depth, rows]` if transposed
    /// @param b    `[depth, columns]`, or `[columns, depth]` if transposed
    /// @param bias `[columns]`, added to each row; or null
    /// @param c    `[rows, columns]`; with `beta == 0` it is overwritten whatever it held
    boolean product(Tensor a, boolean transposeA, Tensor b, boolean transposeB, @Nullable Tensor bias, float alpha,
            float beta, Tensor c);

    /// `y[m, n] = xScale[m] wScale[n] sum_k x[m, k] w[n, k] + bias[n] + beta y[m, n]`
    ///
    /// @param x        codes `[M, K]`
    /// @param xScale   float32 `[M]`
    /// @param w        codes `[N, K]`
    /// @param wScale   float32 `[N]`
    /// @param bias     `[N]` or null
    /// @param y        `[M, N]`; with `beta == 0` it is overwritten whatever it held
    /// @param fastSums whether sums may be kept in fewer bits than float32 has, where that is faster
    boolean codeProduct(Tensor x, Tensor xScale, Tensor w, Tensor wScale, @Nullable Tensor bias, float beta, Tensor y,
            boolean fastSums);
}
