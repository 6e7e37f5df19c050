package nocturne.tensor;

/// What a convolutional autoencoder needs beyond products and attention. No gradients: it is never trained here.
///
/// Pictures are channels-last: a tensor `[height * width, channels]`, one row for each pixel, row by row. A 1x1
/// convolution is then [Products#linear], and attention over pixels needs no transposition.
public interface Convolution {
    /// How the grid of results lies on the grid that the kernel reads.
    enum Grid {
        /// One result for each pixel; a border of zeros all around.
        SAME,
        /// One result for each 2x2 pixels; one row of zeros below and one column right. Height and width are even.
        HALF,
        /// Each pixel is repeated 2x2 (nearest-neighbour enlargement), then as [#SAME].
        DOUBLE;

        /// The height or width of the results.
        public int extent(int input) {
            return switch (this) {
                case SAME -> input;
                case HALF -> input / 2;
                case DOUBLE -> 2 * input;
            };
        }
    }

    /// Convolution with a 3x3 kernel: `y[p] = bias + sum_tap weight[tap] x[p + tap]` (cross-correlation, not flipped).
    ///
    /// @param x      `[height * width, in]`
    /// @param weight `[out, 9 * in]`, column `(3 * ky + kx) * in + i`
    /// @param bias   `[out]`
    /// @param add    whether the result is added to what `y` holds instead of overwriting it
    /// @param y      `[grid.extent(height) * grid.extent(width), out]`; not `x`
    void convolve3x3(Tensor x, int height, int width, Grid grid, Tensor weight, Tensor bias, boolean add, Tensor y);

    /// Scales each pixel's channels to one length: `y = x / max(||x||, 1e-12) * sqrt(channels) * gamma`, then SiLU
    /// where asked.
    ///
    /// Source: "Root Mean Square Layer Normalization", arXiv:1910.07467, in the form of the video autoencoder "Wan",
    /// arXiv:2503.20314.
    ///
    /// @param x     `[pixels, channels]`
    /// @param gamma `[channels]`
    /// @param y     may be `x`
    void channelNorm(Tensor x, Tensor gamma, boolean silu, Tensor y);
}
