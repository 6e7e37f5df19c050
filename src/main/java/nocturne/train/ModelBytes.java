package nocturne.train;

import java.util.Map;
import nocturne.adapter.LinearShape;
import nocturne.adapter.LoraTargets;
import nocturne.io.DType;
import nocturne.quant.LayerFormats;
import nocturne.quant.WeightType;
import nocturne.qwen.TransformerConfig;

/// What a transformer's frozen weights take on a device, but for what alignment adds.
///
/// @param block      of the largest block, without its modulation layers
/// @param modulation of a block's modulation layers, at most
/// @param rest       of all that is outside the blocks
record ModelBytes(long block, long modulation, long rest) {
    /// @param formats     which layers are kept in which format
    /// @param activations the type of all other weights
    static ModelBytes of(TransformerConfig config, LayerFormats formats, DType activations) {
        long block = 0;
        long modulation = 0;
        for (int layer = 0; layer < config.layers(); layer++) {
            // The four weights of the query and key norms.
            long others = 4L * config.headDim() * activations.bytes();
            long modulating = 0;
            for (Map.Entry<String, LinearShape> linear : LoraTargets.ofBlock(config.width()).entrySet()) {
                String module = "transformer_blocks." + layer + "." + linear.getKey();
                long bytes = bytes(linear.getValue(), formats, module, activations);
                if (linear.getKey().contains("_mod.")) modulating += bytes;
                else others += bytes;
            }
            block = Math.max(block, others);
            modulation = Math.max(modulation, modulating);
        }
        long rest = (long) config.textWidth() * activations.bytes();
        for (Map.Entry<String, LinearShape> linear
                : LoraTargets.outside(config.width(), config.textWidth(), config.tokenWidth()).entrySet()) {
            rest += bytes(linear.getValue(), formats, linear.getKey(), activations);
        }
        return new ModelBytes(block, modulation, rest);
    }

    /// Weight and bias.
    private static long bytes(LinearShape shape, LayerFormats formats, String module, DType activations) {
        long weight = formats.of(module, shape.in())
                .map((WeightType type) -> type.bytes(shape.out(), shape.in()))
                .orElse((long) shape.out() * shape.in() * activations.bytes());
        return weight + (long) shape.out() * activations.bytes();
    }
}
