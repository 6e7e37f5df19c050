package nocturne.train;

import java.util.function.IntFunction;
import java.util.function.IntPredicate;
import java.util.function.ToLongFunction;
import nocturne.adapter.Lora;
import nocturne.adapter.LoraLayout;
import nocturne.io.DType;
import nocturne.problem.UserMistake;
import nocturne.qwen.QwenImageTransformer;
import nocturne.qwen.TransformerConfig;
import nocturne.tensor.Rehearsal;
import nocturne.tensor.Tape.Keep;
import nocturne.tensor.TensorArena;

/// What each block keeps between forward and backward pass, so that a step fits into memory and computes as little as
/// possible twice.
///
/// A block that keeps its inputs alone is computed twice; one that keeps [Keep#PRODUCTS] repeats a few per cent of its
/// work. So first as many blocks as possible are spared the second computation, and what room is then left spares the
/// rest. The first blocks are those that keep least: when they are computed again, the others have done.
///
/// @param layers   blocks of the model
/// @param inputs   how many of the first ones keep their inputs alone
/// @param products how many after those keep results of products; the others keep all
/// @param bytes    the most memory that a step then takes
record ActivationPlan(int layers, int inputs, int products, long bytes) implements IntFunction<Keep> {
    @Override
    public Keep apply(int block) {
        if (block < inputs) return Keep.INPUTS;
        return block < inputs + products ? Keep.PRODUCTS : Keep.ALL;
    }

    /// The plan that computes least within a budget.
    ///
    /// @param budget bytes for all tensors of a step
    /// @param batch  of the largest shape that there will be
    /// @throws UserMistake `DEVICE_TOO_SMALL` if a step does not fit even if every block keeps least
    static ActivationPlan within(long budget, TransformerConfig config, LoraLayout layout, DType activations,
            MicroBatch batch) {
        int layers = config.layers();
        ToLongFunction<IntFunction<Keep>> bytes = keep -> bytes(keep, config, layout, activations, batch);
        long least = bytes.applyAsLong(block -> Keep.INPUTS);
        if (least > budget) {
            throw new UserMistake("DEVICE_TOO_SMALL", "datasets", ("a step with pictures of this size takes %,d MiB"
                    + " beside the model, and %,d MiB are left. Choose a smaller resolution, batch size or rank, or"
                    + " keep the model in a smaller format (model.qtype).").formatted(least >> 20, budget >> 20));
        }
        // The fewest blocks with their inputs alone, then the fewest without everything; more of either is less memory.
        int inputs = fewest(layers, n -> of(layers, n, layers - n, bytes).bytes <= budget);
        int products = inputs > 0 ? layers - inputs : fewest(layers, n -> of(layers, 0, n, bytes).bytes <= budget);
        return of(layers, inputs, products, bytes);
    }

    private static ActivationPlan of(int layers, int inputs, int products, ToLongFunction<IntFunction<Keep>> bytes) {
        ActivationPlan plan = new ActivationPlan(layers, inputs, products, 0);
        return new ActivationPlan(layers, inputs, products, bytes.applyAsLong(plan));
    }

    /// The smallest number up to `most` of which something is true, if it stays true from there on and is of `most`.
    private static int fewest(int most, IntPredicate isEnough) {
        int low = 0;
        int high = most;
        while (low < high) {
            int middle = (low + high) / 2;
            if (isEnough.test(middle)) high = middle;
            else low = middle + 1;
        }
        return low;
    }

    /// The most memory that a step takes.
    static long bytes(IntFunction<Keep> keep, TransformerConfig config, LoraLayout layout, DType activations,
            MicroBatch batch) {
        try (Rehearsal rehearsal = new Rehearsal(activations); TensorArena weights = rehearsal.newArena();
                TensorArena passes = rehearsal.newArena()) {
            QwenImageTransformer model = QwenImageTransformer.empty(config, weights);
            Lora lora = new Lora(layout, 1, rehearsal, weights);
            new Learner(model, lora, keep, rehearsal, passes).accumulate(batch, 1);
            return passes.peakBytes();
        }
    }
}
