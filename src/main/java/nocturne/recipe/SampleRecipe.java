package nocturne.recipe;

import java.util.List;

/// When sample pictures are drawn and which.
///
/// @param everySteps     steps between samplings; 0 for never
/// @param startStep      no samples before this step, except the one before training
/// @param beforeTraining also draw with the untouched model, for comparison
/// @param format         of the files; never WebP
/// @param prompts        the pictures, in order; may be empty
public record SampleRecipe(int everySteps, int startStep, boolean beforeTraining, SampleFormat format,
                           List<SamplePrompt> prompts) {
    public SampleRecipe {
        Require.that(everySteps >= 0, "everySteps >= 0", everySteps);
        Require.that(startStep >= 0, "startStep >= 0", startStep);
        Require.that(format != SampleFormat.WEBP, "a format that can be written", format);
        prompts = List.copyOf(prompts);
    }

    /// Whether samples are due after `step` updates of a run of `steps`; the last step always counts.
    public boolean isDueAfter(int step, int steps) {
        if (everySteps == 0 || prompts.isEmpty()) return false;
        if (step == 0) return beforeTraining;
        return step == steps || step >= startStep && step % everySteps == 0;
    }
}
