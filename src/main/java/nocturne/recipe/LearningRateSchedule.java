package nocturne.recipe;

/// How the learning rate changes over a run.
///
/// Every variant gives a factor for the update number `step`, counted from 0, of a run of `steps` updates; the rate is
/// the recipe's `learningRate` times that factor.
public sealed interface LearningRateSchedule {
    record Constant() implements LearningRateSchedule {}

    /// Rises linearly from 0 at step 0 to 1 at step `warmupSteps`, then stays, as diffusers' schedule of that name.
    record ConstantWithWarmup(int warmupSteps) implements LearningRateSchedule {
        public ConstantWithWarmup {
            Require.that(warmupSteps >= 0, "warmupSteps >= 0", warmupSteps);
        }
    }

    /// Goes in a straight line from one factor to another, as torch's `LinearLR` over the whole run.
    record Linear(double startFactor, double endFactor) implements LearningRateSchedule {
        public Linear {
            Require.that(startFactor >= 0 && endFactor >= 0, "factors >= 0", startFactor + ", " + endFactor);
        }
    }

    /// Half a cosine from 1 down to `leastFactor`, as torch's `CosineAnnealingLR` over the whole run; `eta_min` is
    /// `leastFactor` times the learning rate.
    record Cosine(double leastFactor) implements LearningRateSchedule {
        public Cosine {
            Require.that(leastFactor >= 0 && leastFactor <= 1, "leastFactor in 0..1", leastFactor);
        }
    }

    /// @param step  updates made so far: 0 for the first
    /// @param steps updates of the whole run, at least 1
    default double factor(int step, int steps) {
        return switch (this) {
            case Constant() -> 1.0;
            case ConstantWithWarmup(int warmupSteps) -> step < warmupSteps ? (double) step / warmupSteps : 1.0;
            case Linear(double start, double end) -> start + (end - start) * Math.min(step, steps) / steps;
            case Cosine(double least) ->
                    least + (1 - least) * (1 + StrictMath.cos(Math.PI * Math.min(step, steps) / steps)) / 2;
        };
    }
}
