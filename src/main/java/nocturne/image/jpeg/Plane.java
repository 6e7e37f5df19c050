package nocturne.image.jpeg;

/// One colour of the smaller picture in pixels.
///
/// @param samples `[height, width]`, 0 to 255
record Plane(int width, int height, byte[] samples) {
    private static final int MIDDLE = 128;

    /// The inverse cosine transform over the lowest `n x n` frequencies of each block, `n` = [Component#side]:
    ///
    /// `x[i] = sqrt(n / 8) sum_u c(u) X[u] cos((2 i + 1) u pi / (2 n))`, `c(0) = sqrt(1 / n)`, else `sqrt(2 / n)`,
    ///
    /// over both axes. With `n = 8` it is the whole picture's; with `n = 1` a block's mean.
    static Plane of(Component component) {
        int n = component.side;
        if (n == 1) return means(component);
        float[] basis = basis(n);
        float[] block = new float[n * n];
        float[] half = new float[n * n];
        int width = component.stride * n;
        byte[] samples = new byte[width * component.rows * n];
        for (int row = 0; row < component.rows; row++) {
            for (int column = 0; column < component.stride; column++) {
                int from = (row * component.stride + column) * n * n;
                for (int v = 0; v < n; v++) {
                    for (int u = 0; u < n; u++) {
                        block[v * n + u] =
                                component.coefficients[from + v * n + u] * component.factors()[v * 8 + u];
                    }
                }
                multiply(block, basis, half, n);
                multiply(half, basis, block, n);
                int to = row * n * width + column * n;
                for (int y = 0; y < n; y++) {
                    for (int x = 0; x < n; x++) samples[to + y * width + x] = toByte(block[y * n + x]);
                }
            }
        }
        return new Plane(width, component.rows * n, samples);
    }

    private static Plane means(Component component) {
        byte[] samples = new byte[component.stride * component.rows];
        // A block's lowest coefficient is eight times its mean.
        int factor = component.factors()[0];
        for (int i = 0; i < samples.length; i++) {
            samples[i] = (byte) Math.clamp((component.coefficients[i] * factor + 4 >> 3) + MIDDLE, 0, 255);
        }
        return new Plane(component.stride, component.rows, samples);
    }

    /// `out = transpose(in transpose(basis))`: one axis, turned over, so that doing it twice does both.
    private static void multiply(float[] in, float[] basis, float[] out, int n) {
        for (int v = 0; v < n; v++) {
            for (int x = 0; x < n; x++) {
                float sum = 0;
                for (int u = 0; u < n; u++) sum += in[v * n + u] * basis[x * n + u];
                out[x * n + v] = sum;
            }
        }
    }

    private static float[] basis(int n) {
        float[] basis = new float[n * n];
        for (int x = 0; x < n; x++) {
            for (int u = 0; u < n; u++) {
                double scale = Math.sqrt((u == 0 ? 1.0 : 2.0) / n) * Math.sqrt(n / 8.0);
                basis[x * n + u] = (float) (scale * StrictMath.cos((2 * x + 1) * u * Math.PI / (2 * n)));
            }
        }
        return basis;
    }

    private static byte toByte(float sample) {
        return (byte) Math.clamp(Math.round(sample) + MIDDLE, 0, 255);
    }
}
