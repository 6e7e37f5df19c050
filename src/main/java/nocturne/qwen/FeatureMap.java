package nocturne.qwen;

import nocturne.io.DType;
import nocturne.qwen.VaeWeights.Kernel;
import nocturne.tensor.Attention;
import nocturne.tensor.Backend;
import nocturne.tensor.Convolution.Grid;
import nocturne.tensor.Linear;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.jspecify.annotations.Nullable;

/// One picture on its way through the autoencoder: three buffers of the largest layer's size take turns. Nothing else
/// grows with the picture but attention, which works at the coarsest resolution.
///
/// Pixels are rows, channels are columns: `[height * width, channels]`.
final class FeatureMap {
    /// The size of a picture between two layers.
    record Extent(int height, int width, int channels) {
        int pixels() {
            return Math.multiplyExact(height, width);
        }

        long elements() {
            return (long) pixels() * channels;
        }

        Extent on(Grid grid, int newChannels) {
            return new Extent(grid.extent(height), grid.extent(width), newChannels);
        }

        Extent withChannels(int newChannels) {
            return new Extent(height, width, newChannels);
        }
    }

    private final Backend backend;
    private final TensorArena arena;
    private Extent extent;
    private Tensor current;
    private Tensor spare;
    private Tensor third;

    /// @param pixels   the picture's numbers, `[height * width, channels]`
    /// @param capacity elements of the largest layer's result or input
    FeatureMap(Backend backend, TensorArena arena, Extent extent, float[] pixels, long capacity) {
        this.backend = backend;
        this.arena = arena;
        this.extent = extent;
        int length = Math.toIntExact(capacity);
        current = arena.allocate(length);
        spare = arena.allocate(length);
        third = arena.allocate(length);
        backend.write(pixels, view(current, extent));
    }

    Extent extent() {
        return extent;
    }

    /// The numbers as they are now, `[height * width, channels]`.
    float[] toArray() {
        return backend.toArray(view(current, extent));
    }

    private static Tensor view(Tensor buffer, Extent extent) {
        return buffer.slice(0, extent.pixels(), extent.channels());
    }

    private void exchange() {
        Tensor previous = current;
        current = spare;
        spare = previous;
    }

    void convolve(Kernel kernel, Grid grid) {
        Extent after = extent.on(grid, kernel.out());
        convolve(view(current, extent), grid, kernel, false, view(spare, after));
        extent = after;
        exchange();
    }

    private void convolve(Tensor x, Grid grid, Kernel kernel, boolean add, Tensor y) {
        backend.convolution()
                .convolve3x3(x, extent.height(), extent.width(), grid, kernel.weight(), kernel.bias(), add, y);
    }

    void pointwise(Linear layer) {
        Extent after = extent.withChannels(layer.out());
        backend.products().linear(view(current, extent), layer.weight(), layer.bias(), view(spare, after));
        extent = after;
        exchange();
    }

    void normSilu(Tensor gamma) {
        Tensor x = view(current, extent);
        backend.convolution().channelNorm(x, gamma, true, x);
    }

    /// `x = conv2(silu(norm2(conv1(silu(norm1(x)))))) + shortcut(x)`.
    ///
    /// @param shortcut null where the width stays, then `x` itself
    void residual(Tensor gamma1, Kernel conv1, Tensor gamma2, Kernel conv2, @Nullable Linear shortcut) {
        Extent after = extent.withChannels(conv2.out());
        Tensor x = view(current, extent);
        Tensor normed = view(spare, extent);
        Tensor inner = view(third, after);
        backend.convolution().channelNorm(x, gamma1, true, normed);
        convolve(normed, Grid.SAME, conv1, false, inner);
        backend.convolution().channelNorm(inner, gamma2, true, inner);
        if (shortcut == null) {
            convolve(inner, Grid.SAME, conv2, true, x);
            return;
        }
        Tensor y = view(spare, after);
        backend.products().linear(x, shortcut.weight(), shortcut.bias(), y);
        convolve(inner, Grid.SAME, conv2, true, y);
        extent = after;
        exchange();
    }

    /// `x = x + proj(attention(norm(x)))`, one head over all pixels.
    void attend(Tensor gamma, Linear toQ, Linear toK, Linear toV, Linear proj) {
        Tensor x = view(current, extent);
        Tensor normed = view(spare, extent);
        Tensor joined = view(third, extent);
        backend.convolution().channelNorm(x, gamma, false, normed);
        try (TensorArena.Scope scope = arena.scope()) {
            Tensor q = projected(normed, toQ);
            Tensor k = projected(normed, toK);
            Tensor v = projected(normed, toV);
            Tensor logSumExp = arena.allocate(DType.F32, 1, extent.pixels());
            backend.attention()
                    .forward(q, k, v, null, Attention.Layout.uniform(1, extent.pixels(), 1), joined, logSumExp);
        }
        backend.products().linear(joined, proj.weight(), proj.bias(), normed);
        backend.elementwise().addScaled(normed, 1, x);
    }

    private Tensor projected(Tensor x, Linear layer) {
        Tensor y = arena.allocate(x.shape());
        backend.products().linear(x, layer.weight(), layer.bias(), y);
        return y;
    }
}
