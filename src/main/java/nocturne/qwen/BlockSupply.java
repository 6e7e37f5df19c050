package nocturne.qwen;

import java.util.function.IntConsumer;
import nocturne.tensor.TensorArena;
import nocturne.tensor.WeightStream;
import org.jspecify.annotations.Nullable;

/// How what the blocks compute with comes to the device, where it does not stay there.
///
/// @param walk   of the blocks whose weights come and go
/// @param tables in place of the modulation layers' weights; null where those are part of the blocks
/// @param stream through which weights come and go; null where all stay
record BlockSupply(WeightStream.Sequence walk, @Nullable ModulationTables tables, @Nullable WeightStream stream) {
    /// Everything stays.
    static final BlockSupply RESIDENT = new BlockSupply(WeightStream.RESIDENT, null, null);

    /// The same for a model with other frozen weights outside the blocks: answers to timesteps are made anew.
    BlockSupply forgetting() {
        return tables == null ? this : new BlockSupply(walk, tables.forgetting(), stream);
    }

    /// For one forward pass and its backward pass: to be told the block that is computed next.
    ///
    /// @param embedding of the timesteps
    /// @param passes    where memory for the pass is taken
    /// @param picture   timesteps of the rows that the modulation of the picture's stream is computed from
    /// @param text      likewise of the text's
    IntConsumer pass(TimestepEmbedding embedding, TensorArena passes, float[] picture, float[] text) {
        if (tables == null) return walk::need;
        ModulationTables.Answers answers = tables.answers(embedding, passes, picture, text);
        return block -> {
            walk.need(block);
            answers.use(block);
        };
    }
}
