package nocturne.tensor;

import org.jspecify.annotations.Nullable;

/// Matrix products. Matrices are read over the innermost axis: `[B, L, D]` is a matrix of `B * L` rows.
public interface Products {
    /// `y = x W^T + bias`.
    ///
    /// @param x    `[M, K]`
    /// @param w    `[N, K]`, as stored in model files
    /// @param bias `[N]` or null
    /// @param y    `[M, N]`, overwritten
    void linear(Tensor x, Weight w, @Nullable Tensor bias, Tensor y);

    /// `dx = dy W + beta * dx`: the gradient of [#linear] with respect to `x`.
    ///
    /// @param dy `[M, N]`
    /// @param w  `[N, K]`
    /// @param dx `[M, K]`; with `beta == 0` it is overwritten whatever it held, NaN included
    void linearBackward(Tensor dy, Weight w, float beta, Tensor dx);

    /// `c = alpha * op(a) op(b) + beta * c`, where `op` transposes where asked.
    ///
    /// @param c `[M, N]`; with `beta == 0` it is overwritten whatever it held, NaN included
    void product(Tensor a, boolean transposeA, Tensor b, boolean transposeB, float alpha, float beta, Tensor c);

    /// Does some work in which several calls of [#linear] read the same `x` and nothing writes to it, so that what is
    /// made of `x` alone need be made once.
    default void sharing(Tensor x, Runnable work) {
        work.run();
    }
}
