package nocturne.train;

import nocturne.memory.MemoryPlan;
import nocturne.memory.Workload;
import nocturne.qwen.Grid;
import nocturne.qwen.TransformerConfig;
import nocturne.recipe.Recipe;
import nocturne.recipe.SamplePrompt;

/// The arithmetic of a job, in floating point operations. What is computed twice to save memory is counted twice;
/// adapters, which add about one per cent, and encoding are not counted.
///
/// @param steps      updates
/// @param microSteps batches, several of which make an update
/// @param microStep  of one batch of the largest size
/// @param sampling   of all pictures that are drawn
/// @param streamed   bytes that come from the host twice in a micro-step
public record WorkNeed(long steps, long microSteps, double microStep, double sampling, long streamed) {
    static WorkNeed of(Recipe recipe, TransformerConfig config, Workload work, MemoryPlan memory) {
        int pictureTokens = work.training().tokens() - work.training().textRows();
        StepWork once = StepWork.of(config, pictureTokens, work.training().textRows());
        double again = (double) memory.activations().inputs() / config.layers();
        double step = work.training().batch() * (once.step() + again * (once.linear() + once.attention()));
        long microSteps = (long) recipe.train().steps() * recipe.train().accumulation();
        return new WorkNeed(recipe.train().steps(), microSteps, step, sampling(recipe, config, work),
                memory.host().pinned());
    }

    private static double sampling(Recipe recipe, TransformerConfig config, Workload work) {
        long times = 0;
        for (int step = 0; step <= recipe.train().steps(); step++) {
            if (recipe.sample().isDueAfter(step, recipe.train().steps())) times++;
        }
        double all = 0;
        for (SamplePrompt prompt : recipe.sample().prompts()) {
            long tokens = Grid.ofPixels(prompt.width(), prompt.height()).tokens() * (1L + prompt.controls().size());
            StepWork pass = StepWork.of(config, Math.toIntExact(tokens), work.training().textRows());
            int passes = prompt.steps() * (prompt.guidanceScale() == 1 ? 1 : 2);
            all += passes * (pass.linear() + pass.attention());
        }
        return times * all;
    }

    /// How long it takes where so many operations are done in a second and so many bytes come from the host: what
    /// comes hides behind what is computed, or the other way round.
    ///
    /// @return seconds
    public double seconds(double operationsPerSecond, double bytesPerSecond) {
        double each = Math.max(microStep / operationsPerSecond, 2 * streamed / bytesPerSecond);
        return microSteps * each + sampling / operationsPerSecond;
    }
}
