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

    /// For one forward pass and its backward pass: to be told the block that is computed next.
    ///
    /// @param passes  where memory for the pass is taken
    /// @param picture timesteps of the rows that the modulation of the picture's stream is computed from
    /// @param text    likewise of the text's
    IntConsumer pass(TensorArena passes, float[] picture, float[] text) {
        if (tables == null) return walk::need;
        ModulationTables.Answers answers = tables.answers(passes, picture, text);
        return block -> {
            walk.need(block);
            answers.use(block);
        };
    }
}
