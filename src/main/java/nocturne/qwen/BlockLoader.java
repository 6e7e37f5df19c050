package nocturne.qwen;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import nocturne.io.TensorSource;
import nocturne.quant.QuantizedLayers;
import nocturne.tensor.Backend;
import nocturne.tensor.Linear;
import nocturne.tensor.TensorArena;
import nocturne.tensor.WeightStream;

/// Brings a transformer's blocks from its files to a device, one after the other, so that there are never two copies of
/// the model.
final class BlockLoader {
    private final TransformerConfig config;
    private final TensorSource tensors;
    private final QuantizedLayers layers;
    private final Residency residency;
    private final Backend backend;
    private final TensorArena arena;

    /// @param supply of what comes and goes of them
    record Blocks(List<TransformerBlock> blocks, BlockSupply supply) {
        /// Blocks that stay where they are.
        static Blocks resident(TransformerConfig config, Weights weights) {
            List<TransformerBlock> blocks = IntStream.range(0, config.layers())
                    .mapToObj(i -> TransformerBlock.load(weights, i, config)).toList();
            return new Blocks(blocks, BlockSupply.RESIDENT);
        }
    }

    /// @param tensors checked, under their own names
    /// @param layers  those that are kept in a smaller format
    BlockLoader(TransformerConfig config, TensorSource tensors, QuantizedLayers layers, Residency residency,
            Backend backend, TensorArena arena) {
        this.config = config;
        this.tensors = tensors;
        this.layers = layers;
        this.residency = residency;
        this.backend = backend;
        this.arena = arena;
    }

    Blocks load() {
        int count = config.layers();
        Optional<WeightStream> stream =
                residency.isComplete(count) ? Optional.empty() : backend.weightStream(residency.slots());
        boolean tabulates = residency.tabulates() && stream.isPresent();
        WeightStream.Sequence walk = stream.map(WeightStream::newSequence).orElse(WeightStream.RESIDENT);
        WeightStream.Sequence tableWalk = stream.map(WeightStream::newSequence).orElse(WeightStream.RESIDENT);
        List<TransformerBlock> blocks = new ArrayList<>();
        List<ModulationTables.Block> tabulated = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            boolean comesAndGoes = stream.isPresent() && residency.isStreamed(i, count);
            try (QuantizedLayers.Part quantized = layers.part(TransformerBlock.modules(i))) {
                if (tabulates) tabulated.add(tabulated(i, quantized, tableWalk));
                List<Linear> modulation = tabulates ? tabulated.get(i).tabulated() : List.of();
                blocks.add(comesAndGoes
                        ? comingAndGoing(i, quantized, modulation, walk)
                        : block(i, quantized, modulation, arena));
            }
        }
        return new Blocks(blocks,
                new BlockSupply(walk, tabulates ? new ModulationTables(backend, tableWalk, tabulated) : null));
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
