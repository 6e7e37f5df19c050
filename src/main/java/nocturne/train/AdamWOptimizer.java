package nocturne.train;

import java.util.List;
import nocturne.adapter.Lora;
import nocturne.io.DType;
import nocturne.tensor.Backend;
import nocturne.tensor.Optimisation.AdamW;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;

/// AdamW over a LoRA's parameters, with both moments in float32 and clipping by the total norm.
final class AdamWOptimizer {
    private final Backend backend;
    private final Tensor m;
    private final Tensor v;
    private final Settings settings;

    /// @param maxGradNorm gradients are scaled down to this total L2 norm
    record Settings(double beta1, double beta2, double eps, double weightDecay, double maxGradNorm) {}

    AdamWOptimizer(Settings settings, Lora lora, Backend backend, TensorArena arena) {
        this.settings = settings;
        this.backend = backend;
        m = arena.allocate(DType.F32, lora.values().shape());
        v = arena.allocate(DType.F32, lora.values().shape());
        backend.elementwise().fill(m, 0);
        backend.elementwise().fill(v, 0);
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
        for (Lora.Span span : lora.spansWithGradient()) {
            backend.optimisation().adamW(
                    span.of(lora.values()), span.of(lora.gradients()), span.of(m), span.of(v), adam, update, factor);
        }
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
        double squares = 0;
        for (Tensor tensor : List.of(lora.values(), m, v)) squares += backend.optimisation().sumOfSquares(tensor);
        return Double.isFinite(squares);
    }

    /// First moments, `[parameters]`.
    Tensor m() {
        return m;
    }

    /// Second moments, `[parameters]`.
    Tensor v() {
        return v;
    }
}
