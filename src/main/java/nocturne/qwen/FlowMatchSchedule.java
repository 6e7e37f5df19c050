package nocturne.qwen;

import java.util.Objects;
import nocturne.problem.UserMistake;

/// The noise levels of one denoising loop, and its Euler step.
///
/// `sigma(0)` = 1 is pure noise; `sigma(steps())` = 0 is the finished picture. The levels are computed in float32 in
/// the order of diffusers' `FlowMatchEulerDiscreteScheduler.set_timesteps` under NumPy, so that they agree with it to
/// the last bit or the one before.
public final class FlowMatchSchedule {
    // The pipeline hands the model the scheduler's timestep divided by this, whatever num_train_timesteps is.
    private static final float PIPELINE_TIMESTEPS = 1000;

    private final float[] sigmas;  // steps + 1
    private final float trainTimesteps;

    private FlowMatchSchedule(float[] sigmas, float trainTimesteps) {
        this.sigmas = sigmas;
        this.trainTimesteps = trainTimesteps;
    }

    /// The schedule of `QwenImagePipeline`:
    ///
    ///     s_i = 1 - i (1 - 1/n) / (n - 1)                    i = 0 .. n - 1
    ///     s_i = e^mu / (e^mu + 1/s_i - 1)                    mu from the number of target tokens
    ///     s_i = 1 - (1 - s_i) (1 - terminal) / (1 - s_last)  so that the last is `terminal`
    ///     s_n = 0
    ///
    /// @param steps        denoising steps, at least 2 where the config has a terminal value
    /// @param targetTokens tokens of the picture to make, without control images
    /// @throws UserMistake `SAMPLE_STEPS_INVALID` if `steps` cannot be scheduled
    public static FlowMatchSchedule of(FlowMatchConfig config, int steps, int targetTokens) {
        if (targetTokens < 1) throw new IllegalArgumentException("targetTokens was " + targetTokens);
        boolean stretched = config.shiftTerminal() > 0;
        if (steps < (stretched ? 2 : 1)) {
            throw new UserMistake("SAMPLE_STEPS_INVALID", "sampling steps", steps + " is not allowed; at least 2, as"
                    + " this model's schedule runs from one noise level to another. 20 to 30 suit most pictures.");
        }
        float[] sigmas = new float[steps + 1];
        float shift = (float) StrictMath.exp(config.mu(targetTokens));
        for (int i = 0; i < steps; i++) {
            float level = (float) level(i, steps, 1.0, 1.0 / steps);
            sigmas[i] = shift / (shift + (1 / level - 1));
        }
        if (stretched) {
            float stretch = (1 - sigmas[steps - 1]) / (float) (1 - config.shiftTerminal());
            requireRoom(stretch, targetTokens);
            for (int i = 0; i < steps; i++) sigmas[i] = 1 - (1 - sigmas[i]) / stretch;
        }
        return new FlowMatchSchedule(sigmas, config.trainTimesteps());
    }

    /// The scheduler's timesteps that training draws from when it follows the shifted schedule: the same shift and
    /// stretch as [#of], applied to `count` levels from 1 down to `1 / trainTimesteps`, in double as the reference
    /// (ai-toolkit's `shift` timesteps) does, and rounded to float32 at the end.
    ///
    /// @return `[count]`, falling from `trainTimesteps`
    public static float[] trainingTimesteps(FlowMatchConfig config, int count, int targetTokens) {
        if (count < 2) throw new IllegalArgumentException("count must be at least 2, was " + count);
        double shift = StrictMath.exp(config.mu(targetTokens));
        double[] sigmas = new double[count];
        for (int i = 0; i < count; i++) {
            double level = level(i, count, config.trainTimesteps(), 1) / config.trainTimesteps();
            sigmas[i] = shift / (shift + (1 / level - 1));
        }
        double stretch = config.shiftTerminal() > 0 ? (1 - sigmas[count - 1]) / (1 - config.shiftTerminal()) : 1;
        requireRoom(stretch, targetTokens);
        float[] timesteps = new float[count];
        for (int i = 0; i < count; i++) {
            timesteps[i] = (float) (1 - (1 - sigmas[i]) / stretch) * config.trainTimesteps();
        }
        return timesteps;
    }

    /// Denoising steps; `sigma` takes 0 to this number inclusive.
    public int steps() {
        return sigmas.length - 1;
    }

    /// The noise level before step `index`, in [0, 1].
    public float sigma(int index) {
        return sigmas[index];
    }

    /// The scheduler's timestep at `index`, in [0, `trainTimesteps`].
    public float timestep(int index) {
        return sigmas[index] * trainTimesteps;
    }

    /// What the model is given at `index`, in [0, 1]: sigma, but for the rounding of the pipeline's detour over the
    /// scheduler's timestep.
    public float modelTimestep(int index) {
        return timestep(index) / PIPELINE_TIMESTEPS;
    }

    /// The factor of the velocity in step `index`: `sigma(index + 1) - sigma(index)`, which is negative.
    public float delta(int index) {
        return sigmas[index + 1] - sigmas[index];
    }

    /// Euler's step in place: `latents += delta(index) * velocity`. Both have the same length; any layout.
    public void step(int index, float[] latents, float[] velocity) {
        Objects.checkIndex(index, steps());
        if (latents.length != velocity.length) {
            throw new IllegalArgumentException("%d latents, %d velocities".formatted(latents.length, velocity.length));
        }
        float delta = delta(index);
        for (int i = 0; i < latents.length; i++) latents[i] += delta * velocity[i];
    }

    /// Shifts far from those of the published models round every level to 1 or to 0; then nothing can be stretched.
    private static void requireRoom(double stretch, int targetTokens) {
        if (stretch > 0 && Double.isFinite(stretch)) return;
        throw new UserMistake("MODEL_INVALID", "scheduler_config.json", ("base_shift and max_shift leave no usable"
                + " noise levels for a picture of %d tokens").formatted(targetTokens));
    }

    /// `numpy.linspace(first, last, count)[index]`, in its order of operations.
    private static double level(int index, int count, double first, double last) {
        if (index == 0) return first;
        if (index == count - 1) return last;
        return index * ((last - first) / (count - 1)) + first;
    }
}
