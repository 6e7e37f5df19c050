package nocturne.train;

/// The learning rate as a function of the step, and of nothing else, so that a resumed run continues it.
///
/// Step 0 is the first optimizer update. Warm-up is a straight line from 0 at step 0 to the peak at `warmupSteps`, so
/// that with warm-up the first update changes nothing, as in the references. After the last step the rate stays at the
/// floor.
///
/// Source: `get_scheduler` of diffusers' `optimization.py`; with a floor and no warm-up, [Cosine] is torch's
/// `CosineAnnealingLR` with `eta_min`.
public sealed interface LearningRate {
    /// The rate of the optimizer update after `step` earlier ones.
    ///
    /// @param step 0 or more; steps past the schedule's end are allowed
    default double at(long step) {
        if (step < 0) throw new IllegalArgumentException("step " + step);
        return switch (this) {
            case Constant(double rate) -> rate;
            case ConstantWithWarmup(double peak, int warmup) -> step < warmup ? peak * step / warmup : peak;
            case Linear(double peak, double floor, Span span) -> span.isWarmup(step) ? span.warm(peak, step)
                    : floor + (peak - floor) * (1 - span.progress(step));
            case Cosine(double peak, double floor, Span span) -> span.isWarmup(step) ? span.warm(peak, step)
                    : floor + (peak - floor) * halfCosine(span.progress(step));
            case CosineWithRestarts(double peak, double floor, Span span, int cycles) -> {
                if (span.isWarmup(step)) yield span.warm(peak, step);
                double progress = span.progress(step);
                yield progress >= 1 ? floor : floor + (peak - floor) * halfCosine(cycles * progress % 1.0);
            }
        };
    }

    /// The same rate at every step.
    ///
    /// @param rate at least 0
    record Constant(double rate) implements LearningRate {
        public Constant {
            requireRates(rate, 0);
        }
    }

    /// The same rate at every step after the warm-up.
    record ConstantWithWarmup(double peak, int warmupSteps) implements LearningRate {
        public ConstantWithWarmup {
            requireRates(peak, 0);
            if (warmupSteps < 0) throw new IllegalArgumentException("warmupSteps " + warmupSteps);
        }
    }

    /// A straight line from peak to floor.
    record Linear(double peak, double floor, Span span) implements LearningRate {
        public Linear {
            requireRates(peak, floor);
        }
    }

    /// Half a cosine from peak to floor: `floor + (peak - floor) (1 + cos(pi p)) / 2`.
    record Cosine(double peak, double floor, Span span) implements LearningRate {
        public Cosine {
            requireRates(peak, floor);
        }
    }

    /// `cycles` half cosines of equal length, each from peak to floor.
    record CosineWithRestarts(double peak, double floor, Span span, int cycles) implements LearningRate {
        public CosineWithRestarts {
            requireRates(peak, floor);
            if (cycles < 1) throw new IllegalArgumentException("cycles " + cycles);
        }
    }

    /// Where a schedule is warm and where it ends.
    ///
    /// @param warmupSteps 0 for none; where it is `totalSteps` or more, the rate only rises
    /// @param totalSteps  optimizer updates of the whole run, warm-up included
    record Span(int warmupSteps, int totalSteps) {
        public Span {
            if (warmupSteps < 0 || totalSteps < 0) {
                throw new IllegalArgumentException("%d of %d steps".formatted(warmupSteps, totalSteps));
            }
        }

        private boolean isWarmup(long step) {
            return step < warmupSteps;
        }

        private double warm(double peak, long step) {
            return peak * step / warmupSteps;
        }

        /// How much of the decay is over, in [0, 1].
        private double progress(long step) {
            return Math.min(1, (step - warmupSteps) / (double) Math.max(1, totalSteps - warmupSteps));
        }
    }

    private static double halfCosine(double progress) {
        return Math.max(0, 0.5 * (1 + StrictMath.cos(Math.PI * progress)));
    }

    private static void requireRates(double peak, double floor) {
        if (!(floor >= 0 && floor <= peak && peak < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("learning rate %s with floor %s".formatted(peak, floor));
        }
    }
}
