package nocturne.report;

import java.util.List;
import java.util.Optional;
import nocturne.report.LossHistory.HeldOut;

/// What the shape of the held-out curve suggests for the learning rate of a next run, in steps of 5e-5 (S2-16).
///
/// It speaks only where the numbers carry it: held-out pictures measured often enough, and a loss that fell by more
/// than a wobble. The thresholds are ours and rough, which is why what it says is called a hint.
final class NextRun {
    private static final double INCREMENT = 5e-5;
    /// From here on a rate is warned of (S1-25); nobody is sent there.
    private static final double HIGHEST = 4e-4;
    /// The measurement before training and four more.
    private static final int FEWEST = 5;
    /// Of the loss before training; less is a wobble.
    private static final double LEAST_FALL = 0.02;
    /// Memorising: the lowest loss came before this share of the run ...
    private static final double EARLY = 0.6;
    /// ... and so much of what had been won was lost again.
    private static final double LOST_AGAIN = 0.25;
    /// Not done yet: so much of all that was won was won in the last quarter of the measurements.
    private static final double STILL_FALLING = 0.1;

    private NextRun() {}

    static Optional<String> hint(LossHistory losses) {
        List<HeldOut> curve = losses.heldOut().stream().filter(point -> Double.isFinite(point.loss())).toList();
        Optional<HeldOut> lowest = losses.lowestHeldOut();
        double rate = losses.training().stream().mapToDouble(LossHistory.Training::learningRate)
                .filter(Double::isFinite).max().orElse(0);
        if (curve.size() < FEWEST || lowest.isEmpty() || rate <= 0) return Optional.empty();
        double before = curve.getFirst().loss();
        double won = before - lowest.get().loss();
        if (won < LEAST_FALL * before) return Optional.empty();
        HeldOut last = curve.getLast();
        double late = curve.get(curve.size() - 1 - Math.max(1, curve.size() / 4)).loss();
        if (lowest.get().step() < EARLY * last.step() && last.loss() - lowest.get().loss() > LOST_AGAIN * won) {
            return Optional.of(memorised(lowest.get(), last, rate));
        }
        if (lowest.get().equals(last) && late - last.loss() > STILL_FALLING * won) {
            return Optional.of(unfinished(rate));
        }
        if (lowest.get().step() < EARLY * last.step()) return Optional.empty();
        return Optional.of("The held-out loss had settled near its lowest by the end: a learning rate of "
                + Axis.scientific(rate) + " and this number of steps fit each other.");
    }

    private static String memorised(HeldOut lowest, HeldOut last, double rate) {
        String seen = ("The held-out loss was lowest at step %d of %d and rose again: the run learned its pictures by"
                + " heart. ").formatted(lowest.step(), last.step());
        double lower = rounded(rate - INCREMENT);
        if (lower < INCREMENT) return seen + "End it sooner.";
        return seen + "Try a learning rate of %s (%s less), or end it sooner."
                .formatted(Axis.scientific(lower), Axis.scientific(INCREMENT));
    }

    private static String unfinished(double rate) {
        String seen = "The held-out loss was still falling at the end: there was more to learn. ";
        double higher = rounded(rate + INCREMENT);
        if (higher >= HIGHEST) return seen + "Try more steps.";
        return seen + "Try a learning rate of %s (%s more), or more steps."
                .formatted(Axis.scientific(higher), Axis.scientific(INCREMENT));
    }

    /// Without the last digits of binary fractions.
    private static double rounded(double rate) {
        return Math.round(rate * 1e7) / 1e7;
    }
}
