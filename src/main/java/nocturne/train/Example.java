package nocturne.train;

import java.util.List;
import nocturne.qwen.Grid;
import nocturne.qwen.PromptEmbedding;

/// One sample, encoded: all that training needs of it. Arrays are not copied.
///
/// @param latents        packed target, `[T, 64]`
/// @param controls       packed control pictures one after another, `[C, 64]`
/// @param grids          token sizes of the target and each control
/// @param prompt         of the caption
/// @param emptyPrompt    used instead of it when the caption is dropped
/// @param captionDropout how often that happens, 0 to 1
/// @param lossMultiplier weight of this sample's loss
record Example(float[] latents, float[] controls, List<Grid> grids, PromptEmbedding prompt, PromptEmbedding emptyPrompt,
        double captionDropout, double lossMultiplier) {
    Example {
        grids = List.copyOf(grids);
    }
}
