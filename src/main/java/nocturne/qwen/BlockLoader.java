package nocturne.qwen;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import nocturne.io.TensorSource;
import nocturne.quant.QuantizedLayers;
import nocturne.quant.WeightCache;
import nocturne.tensor.Backend;
import nocturne.tensor.TensorArena;
import nocturne.tensor.WeightStream;

/// Brings a transformer's blocks from its files to a device, one after the other, so that there are never two copies of
/// the model.
final class BlockLoader {
    private final TransformerConfig config;
    private final TensorSource tensors;
    private final Loading loading;
    private final Backend backend;
    private final TensorArena arena;

    /// @param walk is told which block is computed with
    record Blocks(List<TransformerBlock> blocks, WeightStream.Sequence walk) {
        /// Blocks that stay where they are.
        static Blocks resident(TransformerConfig config, Weights weights) {
            List<TransformerBlock> blocks = IntStream.range(0, config.layers())
                    .mapToObj(i -> TransformerBlock.load(weights, i, config)).toList();
            return new Blocks(blocks, WeightStream.RESIDENT);
        }
    }

    /// @param tensors checked, under their own names
    BlockLoader(TransformerConfig config, TensorSource tensors, Loading loading, Backend backend, TensorArena arena) {
        this.config = config;
        this.tensors = tensors;
        this.loading = loading;
        this.backend = backend;
        this.arena = arena;
    }

    Blocks load() {
        int count = config.layers();
        List<List<String>> modules = IntStream.range(0, count).mapToObj(TransformerBlock::modules).toList();
        WeightCache cache = loading.cache();
        QuantizedLayers layers = cache == null
                ? QuantizedLayers.of(tensors, loading.formats())
                : QuantizedLayers.of(tensors, loading.formats(), cache, modules);
        Residency residency = loading.residency();
        WeightStream.Sequence walk = residency.isComplete(count)
                ? WeightStream.RESIDENT
                : backend.weightStream(residency.slots()).map(WeightStream::newSequence).orElse(WeightStream.RESIDENT);
        List<TransformerBlock> blocks = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int block = i;
            try (QuantizedLayers.Part quantized = layers.part(modules.get(i))) {
                boolean comesAndGoes = walk != WeightStream.RESIDENT && residency.isStreamed(i, count);
                blocks.add(comesAndGoes
                        ? walk.load(i, staging -> block(block, quantized, staging), TransformerBlock::weights)
                        : block(block, quantized, arena));
            }
        }
        return new Blocks(blocks, walk);
    }

    private TransformerBlock block(int index, QuantizedLayers.Part quantized, TensorArena where) {
        return TransformerBlock.load(Weights.of(tensors, quantized, backend, where), index, config);
    }
}
