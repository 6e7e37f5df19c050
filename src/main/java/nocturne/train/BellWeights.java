package nocturne.train;

/// The loss weights of the flags `linear_timesteps` and `linear_timesteps2`; either also forces the linear table.
public enum BellWeights {
    /// Neither flag is set.
    NONE,
    /// `linear_timesteps`: a bell over the noise levels, 0 at both ends, mean 1.
    BELL,
    /// `linear_timesteps2`: the same for the noisier half; the other half keeps the weight of the middle.
    HALF_BELL
}
