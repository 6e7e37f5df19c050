package nocturne.train;

import java.util.List;
import nocturne.memory.MemoryPlan;
import nocturne.memory.PassShape;
import nocturne.memory.Workload;
import nocturne.qwen.TransformerConfig;
import nocturne.recipe.ProbeRecipe;
import nocturne.recipe.ProbeShot;
import nocturne.recipe.Recipe;
import nocturne.recipe.SamplePrompt;

/// The arithmetic of a job, in floating point operations. What is computed twice to save memory is counted twice;
/// adapters, which add about one per cent, and encoding are not counted.
///
/// @param steps      updates
/// @param microSteps batches, several of which make an update
/// @param useful     of one batch of the largest size, everything computed once
/// @param microStep  of the same as it will be computed
/// @param sampling   of all pictures that are drawn
/// @param streamed   bytes that come from the host twice in a micro-step
public record WorkNeed(long steps, long microSteps, double useful, double microStep, double sampling, long streamed) {
    static WorkNeed of(Recipe recipe, TransformerConfig config, Workload work, MemoryPlan memory) {
        StepWork once = StepWork.of(config, work.training());
        double again = (double) memory.activations().inputs() / config.layers();
        double step = work.training().batch() * (once.step() + again * (once.linear() + once.attention()));
        long microSteps = (long) recipe.train().steps() * recipe.train().accumulation();
        double useful = work.training().batch() * once.step();
        return new WorkNeed(recipe.train().steps(), microSteps, useful, step, sampling(recipe, config, work),
                memory.host().pinned());
    }

    /// Of one update, everything computed once.
    static double update(Recipe recipe, TransformerConfig config, PassShape batch) {
        return recipe.train().accumulation() * batch.batch() * StepWork.of(config, batch).step();
    }

    /// How long it takes where steps are computed as fast as those of earlier jobs.
    ///
    /// @param pace see [PastPace]
    /// @return seconds
    double secondsAt(double pace) {
        return (microSteps * useful + sampling) / pace;
    }

    private static double sampling(Recipe recipe, TransformerConfig config, Workload work) {
        long times = 0;
        for (int step = 0; step <= recipe.train().steps(); step++) {
            if (recipe.sample().isDueAfter(step, recipe.train().steps())) times++;
        }
        double all = 0;
        List<Workload.Drawing> drawings = work.encoders() == null ? List.of() : work.encoders().drawings();
        List<SamplePrompt> prompts = recipe.sample().prompts();
        if (drawings.isEmpty()) return 0;
        for (int i = 0; i < prompts.size(); i++) all += drawing(prompts.get(i), drawings.get(i), config);
        all *= times;
        ProbeRecipe probe = recipe.probe();
        if (probe == null) return all;
        for (ProbeShot shot : probe.shots()) {
            all += drawing(shot.picture(), drawings.get(prompts.size()), config);
        }
        return all;
    }

    private static double drawing(SamplePrompt prompt, Workload.Drawing drawing, TransformerConfig config) {
        StepWork pass = StepWork.of(config, drawing.pass());
        int passes = prompt.steps() * (prompt.guidanceScale() == 1 ? 1 : 2);
        return passes * (pass.linear() + pass.attention());
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
