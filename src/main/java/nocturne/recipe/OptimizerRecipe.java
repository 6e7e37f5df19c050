package nocturne.recipe;

/// The update of the adapter's weights: AdamW after clipping, see "Decoupled Weight Decay Regularization",
/// arXiv:1711.05101.
///
/// @param optimizer    as asked for
/// @param learningRate the peak; see `schedule`
/// @param schedule     its course over the run
/// @param weightDecay  decoupled: each update first multiplies the weights by `1 - rate * weightDecay`
/// @param beta1        memory of the first moment
/// @param beta2        memory of the second moment
/// @param epsilon      added to the root of the second moment
/// @param maxGradNorm  gradients are scaled down to this L2 norm over the whole adapter
public record OptimizerRecipe(Optimizer optimizer, double learningRate, LearningRateSchedule schedule,
                              double weightDecay, double beta1, double beta2, double epsilon, double maxGradNorm) {
    public OptimizerRecipe {
        Require.that(learningRate > 0, "learningRate > 0", learningRate);
        Require.that(weightDecay >= 0, "weightDecay >= 0", weightDecay);
        Require.that(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1, "betas in 0..1", beta1 + ", " + beta2);
        Require.that(epsilon > 0, "epsilon > 0", epsilon);
        Require.that(maxGradNorm > 0, "maxGradNorm > 0", maxGradNorm);
    }
}
