package nocturne.recipe;

import org.jspecify.annotations.Nullable;

/// The loop. One step is one update of the weights, made of `accumulation` micro-batches of `batchSize` samples, whose
/// gradients are averaged.
///
/// @param steps                 updates of the whole run
/// @param loss                  between prediction and truth; its mean is minimised
/// @param gradientCheckpointing recompute activations in the backward pass instead of keeping them
/// @param precision             of activations on a GPU
/// @param ignoresCaptions       every picture is trained with its trigger word alone, or with nothing
/// @param validation            null for none
public record TrainRecipe(int steps, int batchSize, int accumulation, OptimizerRecipe optimizer,
                          TimestepRecipe timesteps, LossType loss, EmaRecipe ema, boolean gradientCheckpointing,
                          Precision precision, boolean ignoresCaptions, @Nullable ValidationRecipe validation) {
    public TrainRecipe {
        Require.that(steps >= 1, "steps >= 1", steps);
        Require.that(batchSize >= 1, "batchSize >= 1", batchSize);
        Require.that(accumulation >= 1, "accumulation >= 1", accumulation);
    }
}
