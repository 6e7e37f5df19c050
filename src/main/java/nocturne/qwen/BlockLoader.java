package nocturne.qwen;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import nocturne.tensor.Backend;
import nocturne.tensor.Linear;
import nocturne.tensor.TensorArena;
import nocturne.tensor.WeightStream;

/// Brings a transformer's blocks from its files to a device, one after the other, so that there are never two copies of
/// the model.
final class BlockLoader {
    private final TransformerConfig config;
    private final BlockWeights source;
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

    BlockLoader(TransformerConfig config, BlockWeights source, Residency residency, Backend backend,
            TensorArena arena) {
        this.config = config;
        this.source = source;
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
            try (BlockWeights.Block weights = source.of(i)) {
                if (tabulates) tabulated.add(tabulated(i, weights, tableWalk));
                List<Linear> modulation = tabulates ? tabulated.get(i).tabulated() : List.of();
                blocks.add(comesAndGoes
                        ? comingAndGoing(i, weights, modulation, walk)
                        : block(i, weights, modulation, arena));
            }
        }
        stream.ifPresent(WeightStream::loaded);
        return new Blocks(blocks, new BlockSupply(walk,
                tabulates ? new ModulationTables(backend, tableWalk, tabulated) : null, stream.orElse(null)));
    }

    private ModulationTables.Block tabulated(int index, BlockWeights.Block source, WeightStream.Sequence walk) {
        return ModulationTables.Block.of(walk.load(index,
                staging -> TransformerBlock.modulation(source.in(staging), index, config),
                TransformerBlock::weights));
    }

    private TransformerBlock comingAndGoing(
            int index, BlockWeights.Block source, List<Linear> modulation, WeightStream.Sequence walk) {
        return walk.load(index, staging -> block(index, source, modulation, staging),
                modulation.isEmpty() ? TransformerBlock::weights : TransformerBlock::weightsBesideModulation);
    }

    /// @param modulation what stands in the place of the block's own layers; empty for those
    private TransformerBlock block(
            int index, BlockWeights.Block source, List<Linear> modulation, TensorArena where) {
        Weights weights = source.in(where);
        return modulation.isEmpty()
                ? TransformerBlock.load(weights, index, config)
                : TransformerBlock.load(weights, modulation, index, config);
    }
}
