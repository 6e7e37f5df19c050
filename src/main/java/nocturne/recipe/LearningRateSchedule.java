package nocturne.recipe;

/// How the learning rate changes over a run, which ends at the recipe's `steps`. The peak is the recipe's
/// `learningRate`; with a warm-up the rate first rises from 0 in a straight line.
public sealed interface LearningRateSchedule {
    /// The peak at every step.
    record Constant() implements LearningRateSchedule {}

    /// The peak at every step after the warm-up.
    record ConstantWithWarmup(int warmupSteps) implements LearningRateSchedule {
        public ConstantWithWarmup {
            requireWarmup(warmupSteps);
        }
    }

    /// A straight line from the peak down to `floor` at the end of the run.
    ///
    /// @param floor a learning rate, at least 0
    record Linear(int warmupSteps, double floor) implements LearningRateSchedule {
        public Linear {
            requireWarmup(warmupSteps);
            requireFloor(floor);
        }
    }

    /// Half a cosine from the peak down to `floor` at the end of the run.
    ///
    /// @param floor a learning rate, at least 0
    record Cosine(int warmupSteps, double floor) implements LearningRateSchedule {
        public Cosine {
            requireWarmup(warmupSteps);
            requireFloor(floor);
        }
    }

    /// Several half cosines of equal length, each from the peak down to `floor`.
    ///
    /// @param floor  a learning rate, at least 0
    /// @param cycles at least 1
    record CosineWithRestarts(int warmupSteps, double floor, int cycles) implements LearningRateSchedule {
        public CosineWithRestarts {
            requireWarmup(warmupSteps);
            requireFloor(floor);
            Require.that(cycles >= 1, "cycles >= 1", cycles);
        }
    }

    private static void requireWarmup(int steps) {
        Require.that(steps >= 0, "warmupSteps >= 0", steps);
    }

    private static void requireFloor(double floor) {
        Require.that(floor >= 0, "floor >= 0", floor);
    }
}
