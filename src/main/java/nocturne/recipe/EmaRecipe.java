package nocturne.recipe;

/// The exponential moving average of the adapter that samples and saved files use.
///
/// @param on             whether there is one
/// @param decay          share of the average that survives one update
/// @param biasCorrection whether the untrained start is taken out of the average: without it, it still weighs
///                       `decay^n` after `n` updates (43 % after 850 updates at 0.999)
public record EmaRecipe(boolean on, double decay, boolean biasCorrection) {
    public EmaRecipe {
        Require.that(decay >= 0 && decay < 1, "decay in 0..1", decay);
    }
}
