package nocturne.train;

import java.util.SequencedMap;
import nocturne.adapter.Lora;
import nocturne.tensor.Backend;
import nocturne.tensor.Optimisation.AdamW;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;

/// AdamW over a LoRA's parameters, with clipping by the total norm.
final class AdamWOptimizer {
    private final Backend backend;
    private final Moments moments;
    private final Settings settings;

    /// @param maxGradNorm gradients are scaled down to this total L2 norm
    record Settings(double beta1, double beta2, double eps, double weightDecay, double maxGradNorm) {}

    AdamWOptimizer(Settings settings, Moments moments, Backend backend) {
        this.settings = settings;
        this.moments = moments;
        this.backend = backend;
    }

    /// With both moments in float32.
    AdamWOptimizer(Settings settings, Lora lora, Backend backend, TensorArena arena) {
        this(settings, new FloatMoments(lora, backend, arena), backend);
    }

    /// The gradient's total L2 norm, before clipping.
    double norm(Lora lora) {
        double squares = 0;
        for (Lora.Span span : lora.spansWithGradient()) {
            squares += backend.optimisation().sumOfSquares(span.of(lora.gradients()));
        }
        return Math.sqrt(squares);
    }

    /// Updates every parameter that has a gradient; the others stay as they are, weight decay included.
    ///
    /// @param update number of this update, from 1
    /// @param norm   of the gradient
    void update(Lora lora, int update, double learningRate, double norm) {
        float factor = (float) Math.min(1, settings.maxGradNorm / (norm + 1e-6));
        AdamW adam = new AdamW(learningRate, settings.beta1, settings.beta2, settings.eps, settings.weightDecay);
        moments.update(lora, adam, update, factor);
    }

    /// The same in one go, for steps that are known to be sound.
    ///
    /// @return the gradient's norm before clipping
    double update(Lora lora, int update, double learningRate) {
        double norm = norm(lora);
        update(lora, update, learningRate, norm);
        return norm;
    }

    /// Whether all numbers that this optimiser has made are finite.
    boolean isFinite(Lora lora) {
        double squares = backend.optimisation().sumOfSquares(lora.values());
        for (Tensor numbers : moments.numbers()) squares += backend.optimisation().sumOfSquares(numbers);
        return Double.isFinite(squares);
    }

    /// What it has to go on from, by name.
    SequencedMap<String, Tensor> state() {
        return moments.tensors();
    }
}
