package nocturne.qwen;

import java.util.List;
import nocturne.qwen.FeatureMap.Extent;
import nocturne.qwen.VaeWeights.Kernel;
import nocturne.tensor.Convolution.Grid;
import nocturne.tensor.Linear;
import nocturne.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// One layer of the autoencoder for single pictures.
sealed interface VaeLayer {
    /// The extent this layer leaves behind.
    Extent after(Extent before);

    void apply(FeatureMap map);

    /// Bytes this layer takes besides the map's buffers.
    default long scratchBytes(Extent before) {
        return 0;
    }

    /// A 3x3 convolution.
    record Convolve(Kernel kernel, Grid grid) implements VaeLayer {
        @Override
        public Extent after(Extent before) {
            return before.on(grid, kernel.out());
        }

        @Override
        public void apply(FeatureMap map) {
            map.convolve(kernel, grid);
        }
    }

    /// A 1x1 convolution.
    record Pointwise(Linear layer) implements VaeLayer {
        @Override
        public Extent after(Extent before) {
            return before.withChannels(layer.out());
        }

        @Override
        public void apply(FeatureMap map) {
            map.pointwise(layer);
        }
    }

    record NormSilu(Tensor gamma) implements VaeLayer {
        static NormSilu load(VaeWeights weights, String name, int channels) {
            return new NormSilu(weights.gamma(name + ".gamma", channels, 1, 1, 1));
        }

        @Override
        public Extent after(Extent before) {
            return before;
        }

        @Override
        public void apply(FeatureMap map) {
            map.normSilu(gamma);
        }
    }

    record Residual(Tensor gamma1, Kernel conv1, Tensor gamma2, Kernel conv2, @Nullable Linear shortcut)
            implements VaeLayer {
        static Residual load(VaeWeights weights, String module, int in, int out) {
            return new Residual(
                    weights.gamma(module + ".norm1.gamma", in, 1, 1, 1),
                    weights.videoKernel(module + ".conv1", in, out),
                    weights.gamma(module + ".norm2.gamma", out, 1, 1, 1),
                    weights.videoKernel(module + ".conv2", out, out),
                    in == out ? null : weights.pointwise(module + ".conv_shortcut", in, out));
        }

        @Override
        public Extent after(Extent before) {
            return before.withChannels(conv2.out());
        }

        @Override
        public void apply(FeatureMap map) {
            map.residual(gamma1, conv1, gamma2, conv2, shortcut);
        }
    }

    record Attend(Tensor gamma, Linear toQ, Linear toK, Linear toV, Linear proj) implements VaeLayer {
        static Attend load(VaeWeights weights, String module, int width) {
            List<Linear> qkv = weights.thirds(module + ".to_qkv", width);
            return new Attend(weights.gamma(module + ".norm.gamma", width, 1, 1), qkv.get(0), qkv.get(1), qkv.get(2),
                    weights.picturePointwise(module + ".proj", width, width));
        }

        @Override
        public Extent after(Extent before) {
            return before;
        }

        @Override
        public void apply(FeatureMap map) {
            map.attend(gamma, toQ, toK, toV, proj);
        }

        /// Queries, keys, values and a number for each pixel.
        @Override
        public long scratchBytes(Extent before) {
            return 4 * (3 * before.elements() + before.pixels());
        }
    }
}
