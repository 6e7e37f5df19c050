package nocturne.qwen;

import java.util.ArrayList;
import java.util.List;
import nocturne.qwen.FeatureMap.Extent;
import nocturne.qwen.VaeLayer.Attend;
import nocturne.qwen.VaeLayer.Convolve;
import nocturne.qwen.VaeLayer.NormSilu;
import nocturne.qwen.VaeLayer.Pointwise;
import nocturne.qwen.VaeLayer.Residual;
import nocturne.tensor.Backend;
import nocturne.tensor.Convolution.Grid;
import nocturne.tensor.TensorArena;

/// The layers of an encoder or a decoder, in order.
///
/// Module names and their numbering are those of diffusers' `AutoencoderKLQwenImage`.
record VaeLayers(List<VaeLayer> layers) {
    VaeLayers {
        layers = List.copyOf(layers);
    }

    /// Picture `[h * w, 3]` to moments `[h * w / scale^2, 2 * latentDim]`: means, then log-variances.
    static VaeLayers encoder(VaeWeights weights, VaeConfig config) {
        List<VaeLayer> layers = new ArrayList<>();
        int width = config.baseDim();
        layers.add(new Convolve(weights.videoKernel("encoder.conv_in", config.inputChannels(), width), Grid.SAME));
        int block = 0;   // the encoder's blocks are one flat list
        for (int level = 0; level < config.multipliers().size(); level++) {
            int out = config.baseDim() * config.multipliers().get(level);
            for (int i = 0; i < config.resBlocks(); i++, width = out) {
                layers.add(Residual.load(weights, "encoder.down_blocks." + block++, width, out));
            }
            if (level < config.multipliers().size() - 1) {
                String module = "encoder.down_blocks." + block++ + ".resample.1";
                layers.add(new Convolve(weights.pictureKernel(module, width, width), Grid.HALF));
            }
        }
        addMiddle(layers, weights, "encoder.mid_block.", width);
        layers.add(NormSilu.load(weights, "encoder.norm_out", width));
        int moments = 2 * config.latentDim();
        layers.add(new Convolve(weights.videoKernel("encoder.conv_out", width, moments), Grid.SAME));
        layers.add(new Pointwise(weights.pointwise("quant_conv", moments, moments)));
        return new VaeLayers(layers);
    }

    /// Latents `[h * w, latentDim]`, not normalised, to a picture `[h * w * scale^2, 3]`, not clamped.
    static VaeLayers decoder(VaeWeights weights, VaeConfig config) {
        List<VaeLayer> layers = new ArrayList<>();
        int latentDim = config.latentDim();
        int width = config.baseDim() * config.multipliers().getLast();
        layers.add(new Pointwise(weights.pointwise("post_quant_conv", latentDim, latentDim)));
        layers.add(new Convolve(weights.videoKernel("decoder.conv_in", latentDim, width), Grid.SAME));
        addMiddle(layers, weights, "decoder.mid_block.", width);
        for (int level = config.multipliers().size() - 1, block = 0; level >= 0; level--, block++) {
            int out = config.baseDim() * config.multipliers().get(level);
            String module = "decoder.up_blocks." + block + ".";
            for (int i = 0; i <= config.resBlocks(); i++, width = out) {
                layers.add(Residual.load(weights, module + "resnets." + i, width, out));
            }
            if (level > 0) {
                layers.add(new Convolve(
                        weights.pictureKernel(module + "upsamplers.0.resample.1", width, width / 2), Grid.DOUBLE));
                width /= 2;
            }
        }
        layers.add(NormSilu.load(weights, "decoder.norm_out", width));
        layers.add(new Convolve(weights.videoKernel("decoder.conv_out", width, config.inputChannels()), Grid.SAME));
        return new VaeLayers(layers);
    }

    private static void addMiddle(List<VaeLayer> layers, VaeWeights weights, String module, int width) {
        layers.add(Residual.load(weights, module + "resnets.0", width, width));
        layers.add(Attend.load(weights, module + "attentions.0", width));
        layers.add(Residual.load(weights, module + "resnets.1", width, width));
    }

    Extent after(Extent input) {
        Extent extent = input;
        for (VaeLayer layer : layers) extent = layer.after(extent);
        return extent;
    }

    /// Elements of the largest input or result of any layer.
    private long capacity(Extent input) {
        long most = input.elements();
        Extent extent = input;
        for (VaeLayer layer : layers) {
            extent = layer.after(extent);
            most = Math.max(most, extent.elements());
        }
        return most;
    }

    /// Device memory that [#run] takes at its peak, weights not counted; alignment adds less than a kilobyte.
    long peakBytes(Extent input) {
        long scratch = 0;
        Extent extent = input;
        for (VaeLayer layer : layers) {
            scratch = Math.max(scratch, layer.scratchBytes(extent));
            extent = layer.after(extent);
        }
        return 3 * 4 * capacity(input) + scratch;
    }

    /// @param pixels `[height * width, channels]` of `input`
    /// @param arena  for the work, all of it given back
    /// @return the last layer's result, likewise a row for each pixel
    float[] run(Backend backend, TensorArena arena, Extent input, float[] pixels) {
        try (TensorArena.Scope scope = arena.scope()) {
            FeatureMap map = new FeatureMap(backend, arena, input, pixels, capacity(input));
            for (VaeLayer layer : layers) layer.apply(map);
            return map.toArray();
        }
    }
}
