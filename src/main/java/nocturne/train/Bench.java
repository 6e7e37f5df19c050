package nocturne.train;

import java.util.Arrays;
import java.util.List;
import nocturne.adapter.Lora;
import nocturne.adapter.LoraLayout;
import nocturne.adapter.LoraTargets;
import nocturne.qwen.Grid;
import nocturne.qwen.QwenImageTransformer;
import nocturne.qwen.TransformerConfig;
import nocturne.tensor.Backend;
import nocturne.tensor.Philox;
import nocturne.tensor.Tape;
import nocturne.tensor.TensorArena;

/// Times the training step on random weights: noise, forward, backward, clipping and AdamW, in the terms in which
/// PyTorch users time theirs.
public final class Bench {
    private static final int RANK = 16;
    private static final long SEED = 0;

    /// A model and a picture size to measure.
    ///
    /// @param textRows text tokens
    public record Size(String name, TransformerConfig config, Grid grid, int textRows) {
        /// The size of the model that ships with Nocturne, at 64 x 64 pixels.
        public static final Size TINY = new Size("tiny",
                new TransformerConfig(6, 4, 32, 64, 64, List.of(8, 12, 12), false), new Grid(4, 4), 20);
        /// Large enough for products to dominate, small enough for a laptop: 512 x 512 pixels.
        public static final Size MIDDLE = new Size("middle",
                new TransformerConfig(4, 8, 64, 512, 64, List.of(16, 24, 24), false), new Grid(32, 32), 128);
    }

    /// @param keep what each block keeps for its backward pass
    public record Settings(Size size, int steps, int warmup, Tape.Keep keep) {}

    /// Milliseconds for one optimiser step with one micro-batch.
    ///
    /// @param tensorBytes memory of tensors, the model's own included
    /// @param peakMib     the most this whole process has held, from `/proc`; -1 where there is no such file
    public record Result(double medianMs, double minMs, double maxMs, long tensorBytes, long peakMib,
            long baseParameters, long loraParameters) {}

    private Bench() {}

    public static Result run(Settings settings, Backend backend) {
        Size size = settings.size();
        try (TensorArena weights = backend.newArena(); TensorArena passes = backend.newArena()) {
            QwenImageTransformer model = QwenImageTransformer.random(size.config(), SEED, backend, weights);
            LoraLayout layout = LoraLayout.of(LoraTargets.of(size.config().layers(), size.config().width()), RANK);
            Lora lora = new Lora(layout, RANK, backend, weights);
            backend.write(Lora.initialValues(layout, Philox.stream(SEED, "init").asGenerator(0)), lora.values());
            Learner learner = new Learner(model, lora, block -> settings.keep(), backend, passes);
            EightBitCheck.of(model, learner, List.of(batch(size, 0)), backend);
            AdamWOptimizer optimizer =
                    new AdamWOptimizer(new AdamWOptimizer.Settings(0.9, 0.999, 1e-8, 0.01, 1), lora, backend, weights);
            double[] milliseconds = new double[settings.steps()];
            for (int step = 1 - settings.warmup(); step <= settings.steps(); step++) {
                long start = System.nanoTime();
                MicroBatch batch = batch(size, step + settings.warmup());
                lora.clearGradients();
                learner.accumulate(batch, 1);
                optimizer.update(lora, step + settings.warmup(), 1e-4);
                if (step > 0) milliseconds[step - 1] = (System.nanoTime() - start) / 1e6;
            }
            Arrays.sort(milliseconds);
            return new Result(milliseconds[milliseconds.length / 2], milliseconds[0],
                    milliseconds[milliseconds.length - 1], weights.reservedBytes() + passes.reservedBytes(),
                    Progress.peakResidentBytes() >> 20, model.parameters(), layout.parameters());
        }
    }

    private static MicroBatch batch(Size size, int step) {
        float[] latents = new float[size.grid().tokens() * size.config().tokenWidth()];
        Philox.stream(SEED, "latents").fillNormal(latents, 0);
        float[] noise = new float[latents.length];
        Philox.stream(SEED, "noise", step).fillNormal(noise, 0);
        float[] text = new float[size.textRows() * size.config().textWidth()];
        Philox.stream(SEED, "text").fillNormal(text, 0);
        float t = Philox.stream(SEED, "timestep", step).uniform(0);
        return new MicroBatch(latents, noise, new float[0], text, new int[] {size.textRows()}, new float[] {t},
                new float[] {1}, List.of(size.grid()));
    }
}
