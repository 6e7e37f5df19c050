package nocturne.train;

import nocturne.tensor.Backend;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;

/// The exponential moving average of the parameters: `e <- e - w (e - p)` after every update.
///
/// The plain rule has `w = 1 - decay` from the first update on, so that after N updates the untrained start still
/// weighs `decay^N`: with decay 0.999 and 850 updates 43 % of the average is a LoRA that does nothing. The corrected
/// rule has `w = (1 - decay) / (1 - decay^n)`: the average of what was trained and nothing else, as Adam corrects its
/// moments (arXiv:1412.6980, section 3).
final class MovingAverage {
    private final Backend backend;
    private final Tensor average;
    private final double decay;
    private final boolean biasCorrection;

    /// @param start the parameters before the first update; copied
    MovingAverage(double decay, boolean biasCorrection, Tensor start, Backend backend, TensorArena arena) {
        this.decay = decay;
        this.biasCorrection = biasCorrection;
        this.backend = backend;
        average = arena.allocate(start.type(), start.shape());
        backend.elementwise().copy(start, average);
    }

    /// @param update number of the update just made, from 1
    void follow(Tensor parameters, int update) {
        double weight = biasCorrection ? (1 - decay) / (1 - StrictMath.pow(decay, update)) : 1 - decay;
        backend.optimisation().moveTowards(average, parameters, (float) weight);
    }

    boolean isFinite() {
        return Double.isFinite(backend.optimisation().sumOfSquares(average));
    }

    /// The averaged parameters.
    Tensor values() {
        return average;
    }
}
