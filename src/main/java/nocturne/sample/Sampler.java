package nocturne.sample;

import java.util.ArrayList;
import java.util.List;
import nocturne.problem.UserMistake;
import nocturne.qwen.FlowMatchConfig;
import nocturne.qwen.FlowMatchSchedule;
import nocturne.qwen.Grid;
import nocturne.qwen.PromptEmbedding;
import nocturne.sample.Conditions.Control;

/// The denoising loop: from packed noise to packed latents along the model's velocity, in Euler steps.
///
/// Source: "Flow Matching for Generative Modeling", arXiv:2210.02747; schedule, guidance and order of operations of
/// diffusers' `QwenImagePipeline` and `QwenImageEditPlusPipeline`.
public final class Sampler {
    private final Denoiser denoiser;
    private final FlowMatchConfig schedule;

    /// Told about each step; may throw to stop the loop.
    @FunctionalInterface
    public interface Progress {
        Progress NONE = (done, steps, latents) -> {};

        /// @param done    steps finished, `1 .. steps`
        /// @param latents packed, as they are now; only to be read, and only during the call
        void stepped(int done, int steps, float[] latents);
    }

    public Sampler(Denoiser denoiser, FlowMatchConfig schedule) {
        this.denoiser = denoiser;
        this.schedule = schedule;
    }

    /// @param noise packed standard normal numbers, `[grid.tokens(), 64]`; not changed
    /// @param grid  size of the picture to make
    /// @param steps at least 2
    /// @return packed latents of the finished picture, normalised, `[grid.tokens(), 64]`
    /// @throws UserMistake `SAMPLE_STEPS_INVALID` if `steps` cannot be scheduled
    public float[] sample(float[] noise, Grid grid, int steps, Guidance guidance, Conditions conditions,
            Progress progress) {
        if (noise.length % grid.tokens() != 0) {
            throw new IllegalArgumentException(noise.length + " noises for " + grid.tokens() + " tokens");
        }
        int features = noise.length / grid.tokens();
        FlowMatchSchedule sigmas = FlowMatchSchedule.of(schedule, steps, grid.tokens());
        List<Grid> grids = new ArrayList<>(List.of(grid));
        conditions.controls().forEach(control -> grids.add(control.grid()));
        float[] latents = noise.clone();
        float[] coming = new float[steps];
        for (int i = 0; i < steps; i++) coming[i] = sigmas.modelTimestep(i);
        denoiser.announce(coming);
        for (int i = 0; i < steps; i++) {
            float[] tokens = followedByControls(latents, conditions.controls());
            float sigma = sigmas.modelTimestep(i);
            float[] velocity = velocity(tokens, grids, sigma, conditions.prompt());
            if (guidance.isOn()) {
                float[] negative = velocity(tokens, grids, sigma, conditions.negative());
                velocity = guidance.combine(velocity, negative, features);
            }
            sigmas.step(i, latents, velocity);
            progress.stepped(i + 1, steps, latents);
        }
        return latents;
    }

    /// A model may scribble on its tokens, so each pass gets its own copy.
    private float[] velocity(float[] tokens, List<Grid> grids, float sigma, PromptEmbedding prompt) {
        return denoiser.velocity(tokens.clone(), grids, sigma, prompt);
    }

    private static float[] followedByControls(float[] target, List<Control> controls) {
        int length = target.length + controls.stream().mapToInt(control -> control.packed().length).sum();
        float[] tokens = new float[length];
        System.arraycopy(target, 0, tokens, 0, target.length);
        int at = target.length;
        for (Control control : controls) {
            System.arraycopy(control.packed(), 0, tokens, at, control.packed().length);
            at += control.packed().length;
        }
        return tokens;
    }
}
