package nocturne.train;

import java.util.List;
import nocturne.qwen.Grid;

/// What one forward and backward pass is made of, in Java's memory; B samples of equal sizes.
///
/// @param latents     normalised target latents, packed, `[B, T, 64]`
/// @param noise       standard normal, packed, `[B, T, 64]`
/// @param controls    normalised control latents, packed, all pictures of a sample one after another, `[B, C, 64]`
/// @param text        prompt embeddings, `[B, L, J]`, padded at the end
/// @param textLengths how many of the L rows of each sample are real
/// @param timesteps   noise level of each sample in 0..1
/// @param lossWeights one for each sample
/// @param grids       token sizes of target and controls
record MicroBatch(float[] latents, float[] noise, float[] controls, float[] text, int[] textLengths, float[] timesteps,
        float[] lossWeights, List<Grid> grids) {
    MicroBatch {
        grids = List.copyOf(grids);
    }

    int batch() {
        return timesteps.length;
    }
}
