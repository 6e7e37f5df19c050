package nocturne.train;

import java.util.function.IntFunction;
import nocturne.adapter.Lora;
import nocturne.qwen.QwenImageTransformer;
import nocturne.qwen.TransformerInput;
import nocturne.tensor.Backend;
import nocturne.tensor.Loss;
import nocturne.tensor.Ops;
import nocturne.tensor.Tape;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;

/// Forward and backward passes of flow matching: accumulates a LoRA's gradient over micro-batches.
///
/// With noise level t: the model sees `(1 - t) latents + t noise` and learns the velocity `noise - latents`.
/// Source: "Flow Matching for Generative Modeling", arXiv:2210.02747; in this form arXiv:2403.03206, equation 13.
final class Learner {
    private final Backend backend;
    private final TensorArena arena;
    private final QwenImageTransformer base;
    private final QwenImageTransformer trained;
    private final Lora lora;
    private final IntFunction<Tape.Keep> keep;
    private final Loss loss;

    /// Of squares.
    Learner(QwenImageTransformer base, Lora lora, IntFunction<Tape.Keep> keep, Backend backend, TensorArena arena) {
        this(base, lora, keep, Loss.SQUARED, backend, arena);
    }

    /// @param arena for the passes; empty between them
    /// @param keep  what a block, by its number, keeps between forward and backward
    /// @param loss  between the velocity that was predicted and the one that was wanted
    Learner(QwenImageTransformer base, Lora lora, IntFunction<Tape.Keep> keep, Loss loss, Backend backend,
            TensorArena arena) {
        this.base = base;
        this.lora = lora;
        this.keep = keep;
        this.loss = loss;
        this.backend = backend;
        this.arena = arena;
        trained = base.with(lora.trained());
    }

    /// Adds `gradientScale` times the gradient of the batch's loss to the LoRA's.
    ///
    /// @return the loss
    double accumulate(MicroBatch batch, float gradientScale) {
        try (TensorArena.Scope scope = arena.scope()) {
            Tape tape = Tape.recording(backend, arena);
            Tensor velocity = trained.forward(tape, input(batch), keep);
            double loss = loss(tape, batch, velocity, gradientScale);
            tape.backward();
            return loss;
        }
    }

    /// See [QwenImageTransformer#announce].
    void announce(float[] levels) {
        base.announce(arena, levels);
    }

    /// The loss under other LoRA values of the same layout, without a gradient.
    double evaluate(MicroBatch batch, Tensor values) {
        try (TensorArena.Scope scope = arena.scope()) {
            Tape tape = Tape.inference(backend, arena);
            Tensor velocity = base.with(lora.frozen(values, 1)).forward(tape, input(batch), keep);
            return loss(tape, batch, velocity, 0);
        }
    }

    /// Runs the model without the adapter forward and backward, for a device that watches what its layers get to
    /// multiply. That depends on the batch alone, not on how far training has come. Takes no more memory than a step.
    void tryOut(MicroBatch batch) {
        try (TensorArena.Scope scope = arena.scope()) {
            Tape tape = Tape.recording(backend, arena);
            TransformerInput input = input(batch);
            // Without an adapter nothing else asks for a gradient.
            input.tokens().requireGrad();
            loss(tape, batch, base.forward(tape, input, Tape.Keep.INPUTS), 1);
            tape.backward();
        }
    }

    /// The batch one Euler step further along the model's own path, for [TimestepType#NEXT_SAMPLE]: the noise is
    /// replaced by the one that would have led to where the model went.
    ///
    /// With `x' = x + (t' - t) v`: `noise' = (x' - (1 - t') latents) / t'`. Source: ai-toolkit's `next_sample`.
    ///
    /// @param following the noise level t' of each sample, above 0
    MicroBatch stepAhead(MicroBatch batch, float[] following) {
        float[] velocity;
        try (TensorArena.Scope scope = arena.scope()) {
            velocity = backend.toArray(trained.forward(Tape.inference(backend, arena), input(batch), keep));
        }
        float[] noise = new float[batch.noise().length];
        int perSample = noise.length / batch.batch();
        for (int i = 0; i < noise.length; i++) {
            float t = batch.timesteps()[i / perSample];
            float next = following[i / perSample];
            float noisy = (1 - t) * batch.latents()[i] + t * batch.noise()[i];
            float stepped = noisy + (next - t) * velocity[i];
            noise[i] = (stepped - (1 - next) * batch.latents()[i]) / next;
        }
        return new MicroBatch(batch.latents(), noise, batch.controls(), batch.text(), batch.textLengths(), following,
                batch.lossWeights(), batch.grids());
    }

    private double loss(Tape tape, MicroBatch batch, Tensor velocity, float gradientScale) {
        float[] target = new float[batch.latents().length];
        for (int i = 0; i < target.length; i++) target[i] = batch.noise()[i] - batch.latents()[i];
        int tokenWidth = base.config().tokenWidth();
        Tensor targetTensor = backend.floats(arena, target, target.length / tokenWidth, tokenWidth);
        return new Ops(tape).loss(loss, velocity, targetTensor, batch.lossWeights(), gradientScale);
    }

    /// The noisy mixture of each sample followed by its controls.
    private TransformerInput input(MicroBatch batch) {
        int samples = batch.batch();
        int target = batch.latents().length / samples;
        int control = batch.controls().length / samples;
        float[] tokens = new float[batch.latents().length + batch.controls().length];
        for (int b = 0; b < samples; b++) {
            float t = batch.timesteps()[b];
            int at = b * (target + control);
            for (int i = 0; i < target; i++) {
                tokens[at + i] = (1 - t) * batch.latents()[b * target + i] + t * batch.noise()[b * target + i];
            }
            System.arraycopy(batch.controls(), b * control, tokens, at + target, control);
        }
        int textWidth = base.config().textWidth();
        int tokenWidth = base.config().tokenWidth();
        return new TransformerInput(
                backend.tensor(arena, tokens, tokens.length / tokenWidth, tokenWidth),
                backend.tensor(arena, batch.text(), batch.text().length / textWidth, textWidth),
                batch.textLengths(),
                batch.timesteps(),
                batch.grids());
    }
}
