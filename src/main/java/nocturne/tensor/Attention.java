package nocturne.tensor;

import org.jspecify.annotations.Nullable;

/// Scaled dot-product attention over sequences packed one after another.
///
/// `o = softmax(q k^T / sqrt(headDim) + bias) v` for each head of each sequence.
/// Source: "Attention Is All You Need", arXiv:1706.03762, equation 1; computed in tiles with a saved
/// log-sum-exp as in "FlashAttention-2", arXiv:2307.08691.
public interface Attention {
    /// How a call's rows are divided and read.
    ///
    /// @param bounds  cumulative row numbers: sequence `s` is rows `bounds[s] .. bounds[s + 1]`
    /// @param heads   query heads; `q` is `[rows, heads * headDim]`
    /// @param kvHeads key and value heads, a divisor of `heads`; head `h` reads key head `h * kvHeads / heads`
    /// @param causal  a query sees no key behind its own position
    record Layout(int[] bounds, int heads, int kvHeads, boolean causal) {
        /// `batch` sequences of equal length, all heads distinct, nothing masked.
        public static Layout uniform(int batch, int length, int heads) {
            int[] bounds = new int[batch + 1];
            for (int b = 0; b <= batch; b++) bounds[b] = b * length;
            return new Layout(bounds, heads, heads, false);
        }

        public int sequences() {
            return bounds.length - 1;
        }

        public int rows() {
            return bounds[bounds.length - 1];
        }
    }

    /// A query that sees no key at all gets zeros, and a log-sum-exp of positive infinity, from which [#backward] makes
    /// gradients of zero.
    ///
    /// @param keyBias      `[rows]` added to every score of that key: 0, or negative infinity for a padded key; or null
    /// @param o            `[rows, heads * headDim]`, overwritten
    /// @param logSumExp    `[heads, rows]`, kept for the backward pass
    void forward(Tensor q, Tensor k, Tensor v, @Nullable Tensor keyBias, Layout layout, Tensor o, Tensor logSumExp);

    /// Gradients of [#forward]; `dq`, `dk` and `dv` are overwritten.
    void backward(Tensor dO, Tensor q, Tensor k, Tensor v, @Nullable Tensor keyBias, Layout layout, Tensor o,
            Tensor logSumExp, Tensor dq, Tensor dk, Tensor dv);
}
