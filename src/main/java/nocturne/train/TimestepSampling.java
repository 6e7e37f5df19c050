package nocturne.train;

import java.util.ArrayList;
import java.util.List;
import nocturne.problem.UserMistake;
import nocturne.qwen.FlowMatchConfig;
import nocturne.qwen.FlowMatchSchedule;
import nocturne.tensor.Philox;

/// How the noise level of each training sample is drawn: an index into a table of noise levels.
///
/// A draw is a function of its Philox stream alone. The trainer names the stream by seed, step and micro-batch, so
/// that a resumed run repeats the draws of the run it resumes. Semantics: ai-toolkit, `timestep_type` and
/// `content_or_style`.
///
/// @param type            the table
/// @param bias            which end of the table is favoured; [TimestepType#NEXT_SAMPLE] and the fixed steps ignore it
/// @param bell            the legacy weights; unless [BellWeights#NONE], the table is the linear one
/// @param minIndex        first index drawn, 0 to 999 (`min_denoising_steps`); ignored like `bias`
/// @param maxIndex        last index, not below `minIndex` (`max_denoising_steps`); `BALANCED` stops one short of it
/// @param nextSampleSteps entries of the schedule of [TimestepType#NEXT_SAMPLE], at least 3
/// @param schedule        the model's schedule, for the shifted tables; refused as the user's mistake unless it has
///                        1000 training timesteps
public record TimestepSampling(TimestepType type, TimestepBias bias, BellWeights bell, int minIndex, int maxIndex,
                               int nextSampleSteps, FlowMatchConfig schedule) {
    /// The whole table.
    public static final int LAST_INDEX = TimestepTables.SIZE - 1;
    /// What ai-toolkit's `next_sample_timesteps` is unless set.
    public static final int NEXT_SAMPLE_STEPS = 8;

    // Equal parts of the table; 499 is what the reference has for its half.
    private static final int[] TWO_STEPS = {0, 499};
    private static final int[] FOUR_STEPS = {0, 250, 500, 750};
    private static final int[] EIGHT_STEPS = {0, 125, 250, 375, 500, 625, 750, 875};

    public TimestepSampling {
        if (minIndex < 0 || maxIndex < minIndex || maxIndex > LAST_INDEX) {
            throw new IllegalArgumentException("window %d to %d is not in 0 to 999".formatted(minIndex, maxIndex));
        }
        if (nextSampleSteps < 3 || nextSampleSteps > TimestepTables.SIZE) {
            throw new IllegalArgumentException("nextSampleSteps must be 3 to 1000, was " + nextSampleSteps);
        }
        if (schedule.trainTimesteps() != TimestepTables.SIZE) {
            throw new UserMistake("MODEL_INVALID", "scheduler_config.json num_train_timesteps",
                    schedule.trainTimesteps() + " is not supported for training; only " + TimestepTables.SIZE);
        }
    }

    /// Over the whole table, without legacy weights.
    public static TimestepSampling of(TimestepType type, TimestepBias bias, FlowMatchConfig schedule) {
        return new TimestepSampling(type, bias, BellWeights.NONE, 0, LAST_INDEX, NEXT_SAMPLE_STEPS, schedule);
    }

    /// Draws one noise level for each sample of a batch.
    ///
    /// @param stream       serves this batch only, such as `Philox.stream(seed, "timesteps", step, microBatch)`
    /// @param batch        samples
    /// @param targetTokens tokens of the batch's latents (rows * columns / 4), without control images
    public List<Timestep> draw(Philox stream, int batch, int targetTokens) {
        float[] table = table(stream, targetTokens);
        float[] weights = weights();
        List<Timestep> drawn = new ArrayList<>(batch);
        for (int sample = 0; sample < batch; sample++) {
            int index = index(stream, TimestepTables.POSITIONS + sample);
            float weight = weights.length == 0 ? 1 : weights[index];
            drawn.add(new Timestep(table[index] / TimestepTables.SIZE, index, weight));
        }
        return List.copyOf(drawn);
    }

    /// The noise level after `timestep` in the schedule of [TimestepType#NEXT_SAMPLE], in (0, 1).
    ///
    /// The trainer takes one step without gradient from `t` to this `t'`, replaces the noise by
    /// `(stepped - (1 - t') latents) / t'`, and trains at `t'`.
    public float following(Timestep timestep, int targetTokens) {
        if (type != TimestepType.NEXT_SAMPLE) throw new IllegalStateException(type + " trains where it was drawn");
        float[] table = FlowMatchSchedule.trainingTimesteps(schedule, nextSampleSteps, targetTokens);
        return table[timestep.index() + 1] / TimestepTables.SIZE;
    }

    private float[] table(Philox stream, int targetTokens) {
        if (type == TimestepType.NEXT_SAMPLE) {
            return FlowMatchSchedule.trainingTimesteps(schedule, nextSampleSteps, targetTokens);
        }
        if (bell != BellWeights.NONE) return TimestepTables.linear();
        return switch (type) {
            case SIGMOID -> TimestepTables.sigmoid(stream);
            case LOGNORM_BLEND -> TimestepTables.lognormBlend(stream);
            case SHIFT -> FlowMatchSchedule.trainingTimesteps(schedule, TimestepTables.SIZE, targetTokens);
            case NEXT_SAMPLE, LINEAR, WEIGHTED, ONE_STEP, TWO_STEP, FOUR_STEP, EIGHT_STEP -> TimestepTables.linear();
        };
    }

    /// Empty where every sample weighs the same.
    private float[] weights() {
        if (type == TimestepType.NEXT_SAMPLE) return new float[0];
        if (type == TimestepType.WEIGHTED) return TimestepTables.empiricalWeights();
        return switch (bell) {
            case NONE -> new float[0];
            case BELL -> TimestepTables.bell(false);
            case HALF_BELL -> TimestepTables.bell(true);
        };
    }

    private int index(Philox stream, long position) {
        return switch (type) {
            case ONE_STEP -> 0;
            case TWO_STEP -> TWO_STEPS[stream.below(TWO_STEPS.length, position)];
            case FOUR_STEP -> FOUR_STEPS[stream.below(FOUR_STEPS.length, position)];
            case EIGHT_STEP -> EIGHT_STEPS[stream.below(EIGHT_STEPS.length, position)];
            // The last entry has no next one, and the reference leaves out the one before it as well.
            case NEXT_SAMPLE -> stream.below(nextSampleSteps - 2, position);
            case SIGMOID, LINEAR, SHIFT, WEIGHTED, LOGNORM_BLEND -> biasedIndex(stream, position);
        };
    }

    private int biasedIndex(Philox stream, long position) {
        double uniform = stream.uniform(position);
        double cube = uniform * uniform * uniform;
        return switch (bias) {
            case BALANCED -> minIndex + stream.below(Math.max(1, maxIndex - minIndex), position);
            case CONTENT -> windowed(cube * TimestepTables.SIZE);
            case STYLE -> windowed((1 - cube) * TimestepTables.SIZE);
        };
    }

    /// Maps [0, 999] to the window; what lies beyond, up to 1000, becomes its last index.
    private int windowed(double place) {
        double mapped = minIndex + place * (maxIndex - minIndex) / LAST_INDEX;
        return Math.clamp((long) mapped, minIndex, maxIndex);
    }
}
