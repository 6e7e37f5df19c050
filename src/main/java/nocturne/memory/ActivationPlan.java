package nocturne.memory;

import java.util.function.IntFunction;
import java.util.function.IntPredicate;
import java.util.function.ToLongFunction;
import nocturne.tensor.Tape.Keep;

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
public record ActivationPlan(int layers, int inputs, int products) implements IntFunction<Keep> {
    public ActivationPlan {
        if (inputs < 0 || products < 0 || inputs + products > layers) {
            throw new IllegalArgumentException("%d and %d of %d blocks".formatted(inputs, products, layers));
        }
    }

    /// All blocks alike.
    public static ActivationPlan of(int layers, Keep keep) {
        return switch (keep) {
            case ALL -> new ActivationPlan(layers, 0, 0);
            case PRODUCTS -> new ActivationPlan(layers, 0, layers);
            case INPUTS -> new ActivationPlan(layers, layers, 0);
        };
    }

    @Override
    public Keep apply(int block) {
        if (block < inputs) return Keep.INPUTS;
        return block < inputs + products ? Keep.PRODUCTS : Keep.ALL;
    }

    /// How many keep everything.
    public int all() {
        return layers - inputs - products;
    }

    /// The plan that computes least within a budget; that which keeps least, if none fits.
    ///
    /// @param budget bytes for all tensors of a step
    /// @param bytes  what a plan takes
    static ActivationPlan within(long budget, int layers, ToLongFunction<ActivationPlan> bytes) {
        // The fewest blocks with their inputs alone, then the fewest without everything; more of either is less memory.
        int inputs = fewest(layers, n -> bytes.applyAsLong(new ActivationPlan(layers, n, layers - n)) <= budget);
        int products = inputs > 0 ? layers - inputs
                : fewest(layers, n -> bytes.applyAsLong(new ActivationPlan(layers, 0, n)) <= budget);
        return new ActivationPlan(layers, inputs, products);
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
}
