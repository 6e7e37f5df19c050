package nocturne.qwen;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;
import nocturne.io.TensorSource;
import nocturne.quant.QuantizedLayers;
import nocturne.quant.WeightCache;
import nocturne.tensor.Backend;
import nocturne.tensor.Linear;
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

    /// @param supply of what comes and goes of them, given the model's timestep embedding
    record Blocks(List<TransformerBlock> blocks, Function<TimestepEmbedding, BlockSupply> supply) {
        /// Blocks that stay where they are.
        static Blocks resident(TransformerConfig config, Weights weights) {
            List<TransformerBlock> blocks = IntStream.range(0, config.layers())
                    .mapToObj(i -> TransformerBlock.load(weights, i, config)).toList();
            return new Blocks(blocks, embedding -> BlockSupply.RESIDENT);
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
        Optional<WeightStream> stream =
                residency.isComplete(count) ? Optional.empty() : backend.weightStream(residency.slots());
        boolean tabulates = residency.tabulates() && stream.isPresent();
        WeightStream.Sequence walk = stream.map(WeightStream::newSequence).orElse(WeightStream.RESIDENT);
        WeightStream.Sequence tableWalk = stream.map(WeightStream::newSequence).orElse(WeightStream.RESIDENT);
        List<TransformerBlock> blocks = new ArrayList<>();
        List<ModulationTables.Block> tabulated = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            boolean comesAndGoes = stream.isPresent() && residency.isStreamed(i, count);
            try (QuantizedLayers.Part quantized = layers.part(modules.get(i))) {
                if (tabulates) tabulated.add(tabulated(i, quantized, tableWalk));
                List<Linear> modulation = tabulates ? tabulated.get(i).tabulated() : List.of();
                blocks.add(comesAndGoes
                        ? comingAndGoing(i, quantized, modulation, walk)
                        : block(i, quantized, modulation, arena));
            }
        }
        return new Blocks(blocks, embedding -> new BlockSupply(walk,
                tabulates ? new ModulationTables(backend, embedding, tableWalk, tabulated) : null));
    }

    private ModulationTables.Block tabulated(int index, QuantizedLayers.Part quantized, WeightStream.Sequence walk) {
        return ModulationTables.Block.of(walk.load(index,
                staging -> TransformerBlock.modulation(weights(quantized, staging), index, config),
                TransformerBlock::weights));
    }

    private TransformerBlock comingAndGoing(
            int index, QuantizedLayers.Part quantized, List<Linear> modulation, WeightStream.Sequence walk) {
        return walk.load(index, staging -> block(index, quantized, modulation, staging),
                modulation.isEmpty() ? TransformerBlock::weights : TransformerBlock::weightsBesideModulation);
    }

    /// @param modulation what stands in the place of the block's own layers; empty for those
    private TransformerBlock block(
            int index, QuantizedLayers.Part quantized, List<Linear> modulation, TensorArena where) {
        Weights weights = weights(quantized, where);
        return modulation.isEmpty()
                ? TransformerBlock.load(weights, index, config)
                : TransformerBlock.load(weights, modulation, index, config);
    }

    private Weights weights(QuantizedLayers.Part quantized, TensorArena where) {
        return Weights.of(tensors, quantized, backend, where);
    }
}
