package nocturne.sample;

import java.util.List;
import nocturne.qwen.Grid;
import nocturne.qwen.PromptEmbedding;

/// What the loop asks a model: in which direction a noisy picture should move.
@FunctionalInterface
public interface Denoiser {
    /// The velocity `noise - latents` of the target picture.
    ///
    /// @param tokens packed latents `[N, 64]`: the noisy target's tokens, then each control picture's
    /// @param grids  the pictures' sizes in that order, the target first
    /// @param sigma  noise level in 0..1
    /// @return `[T, 64]`, T being the target's tokens
    float[] velocity(float[] tokens, List<Grid> grids, float sigma, PromptEmbedding prompt);

    /// Says which noise levels are coming. Changes no result.
    default void announce(float[] sigmas) {}
}
