package nocturne.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import nocturne.adapter.Lora;
import nocturne.adapter.LoraLayout;
import nocturne.adapter.LoraTargets;
import nocturne.memory.ActivationPlan;
import nocturne.memory.MemoryPlan;
import nocturne.memory.PassShape;
import nocturne.memory.Workload;
import nocturne.quant.LayerFormats;
import nocturne.quant.WeightType;
import nocturne.qwen.Grid;
import nocturne.qwen.ModelSizes;
import nocturne.qwen.QwenImageTransformer;
import nocturne.qwen.Residency;
import nocturne.qwen.TransformerConfig;
import nocturne.tensor.Backend;
import nocturne.tensor.DeviceMemory;
import nocturne.tensor.Philox;
import nocturne.tensor.Tape;
import nocturne.tensor.TensorArena;
import org.jspecify.annotations.Nullable;

/// Times the training step on random weights: noise, forward, backward, clipping and AdamW, in the terms in which
/// PyTorch users time theirs.
public final class Bench {
    private static final int RANK = 16;
    private static final long SEED = 0;
    private static final double LEARNING_RATE = 1e-4;
    private static final float LORA_DEVIATION = 0.01f;
    /// Steps whose parts are timed one by one.
    private static final int STEPS_IN_PARTS = 3;
    private static final int SLOTS = 2;

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
        /// The released model, at 1024 x 1024 pixels.
        public static final Size FULL = new Size("full",
                ModelSizes.RELEASED.transformerConfig(), new Grid(64, 64), 200);

        /// The same with another number of blocks.
        public Size withLayers(int layers) {
            return new Size(name, new TransformerConfig(layers, config.heads(), config.headDim(), config.textWidth(),
                    config.tokenWidth(), config.axes(), config.zeroCondT()), grid, textRows);
        }
    }

    /// @param format of the blocks' linear layers; null for the device's own numbers
    /// @param keep   what every block keeps for its backward pass, all of them staying on the device; null for what the
    ///     memory allows
    /// @param vram   the device's memory that is to be used, in bytes; null for what is free
    public record Settings(Size size, @Nullable WeightType format, int steps, int warmup, Tape.@Nullable Keep keep,
            @Nullable Long vram) {}

    /// Milliseconds for one optimiser step with one micro-batch.
    ///
    /// @param parts           medians of steps that were timed in parts, apart from the others
    /// @param announceMs      for what the modulation layers answer to the noise levels of the next 64 steps, which is
    ///     made beforehand as in a training; see [QwenImageTransformer#announce]
    /// @param loss            of the last step
    /// @param plan            how the memory is used, and what was expected to be taken
    /// @param usefulFlops     of a step, see [StepWork]
    /// @param tensorBytes     memory that tensors took, the weights that stay included
    /// @param devicePeakBytes the most that was held of the device's own memory, -1 where it has none
    /// @param notices         on products in 8 bits, where they were asked for
    /// @param peakMib         the most this whole process has held, from `/proc`; -1 where there is no such file
    public record Result(double medianMs, double minMs, double maxMs, Parts parts, double announceMs, double loss,
            MemoryPlan plan,
            double usefulFlops, long tensorBytes, long devicePeakBytes, long peakMib, long baseParameters,
            long loraParameters, List<String> notices) {
        public Result {
            notices = List.copyOf(notices);
        }
    }

    /// @param forward  without keeping anything
    /// @param backward the rest of the pass: keeping, backward, and what is computed a second time
    /// @param update   clipping and AdamW
    public record Parts(double forward, double backward, double update) {}

    private final Settings settings;
    private final Backend backend;
    private final LoraLayout layout;
    private final float[] latents;
    private final float[] text;

    private Bench(Settings settings, Backend backend) {
        this.settings = settings;
        this.backend = backend;
        TransformerConfig config = settings.size().config();
        layout = LoraLayout.of(LoraTargets.of(config.layers(), config.width()), RANK);
        latents = normal("latents", 0, settings.size().grid().tokens() * config.tokenWidth());
        text = normal("text", 0, settings.size().textRows() * config.textWidth());
    }

    public static Result run(Settings settings, Backend backend) {
        return new Bench(settings, backend).run();
    }

    private Result run() {
        MemoryPlan plan = plan();
        try (TensorArena trained = backend.newArena(); TensorArena weights = backend.newArena();
                TensorArena passes = backend.newArena()) {
            trained.reserve(plan.trainedBytes());
            weights.reserve(plan.weightBytes());
            TransformerConfig config = settings.size().config();
            // What is trained is not there yet: its memory holds a layer's numbers until they are codes.
            QwenImageTransformer model = QwenImageTransformer.random(config, formats(), plan.residency(), SEED, backend,
                    weights, trained);
            passes.reserve(plan.workBytes());
            Lora lora = new Lora(layout, RANK, backend, trained);
            backend.fillNormal(Philox.stream(SEED, "adapter"), LORA_DEVIATION, lora.values());
            AdamWOptimizer optimizer = new AdamWOptimizer(
                    new AdamWOptimizer.Settings(0.9, 0.999, 1e-8, 0.01, 1), lora, backend, trained);
            return measured(new Trained(model, lora, optimizer), plan,
                    List.of(trained, weights, passes));
        }
    }

    private LayerFormats formats() {
        WeightType format = settings.format();
        TransformerConfig config = settings.size().config();
        return format == null ? LayerFormats.NONE
                : new LayerFormats(format, LoraTargets.of(config.layers(), config.width()).keySet());
    }

    /// What there is before the first step.
    private record Trained(QwenImageTransformer model, Lora lora, AdamWOptimizer optimizer) {}

    private Result measured(Trained trained, MemoryPlan plan, List<TensorArena> arenas) {
        Lora lora = trained.lora;
        Learner learner = new Learner(trained.model, lora, plan.activations(), backend, arenas.getLast());
        double announceMs = announce(trained, learner, 0);
        List<String> notices = new ArrayList<>(backend.notices());
        notices.addAll(EightBitCheck.of(trained.model, learner, List.of(batch(0)), backend));
        double[] milliseconds = new double[settings.steps()];
        double loss = 0;
        for (int step = 1 - settings.warmup(); step <= settings.steps(); step++) {
            announceMs = Math.max(announceMs, announce(trained, learner, step + settings.warmup()));
            long start = System.nanoTime();
            MicroBatch batch = batch(step + settings.warmup());
            lora.clearGradients();
            loss = learner.accumulate(batch, 1);
            trained.optimizer.update(lora, step + settings.warmup(), LEARNING_RATE);
            finish(lora);
            if (step > 0) milliseconds[step - 1] = (System.nanoTime() - start) / 1e6;
        }
        Arrays.sort(milliseconds);
        Parts parts = parts(trained, learner);
        Size size = settings.size();
        StepWork work = StepWork.of(size.config(), size.grid().tokens(), size.textRows());
        return new Result(milliseconds[milliseconds.length / 2], milliseconds[0],
                milliseconds[milliseconds.length - 1], parts, announceMs, loss,
                plan, work.step(), arenas.stream().mapToLong(TensorArena::peakBytes).sum(),
                backend.memory().map(DeviceMemory::peakBytes).orElse(-1L), Progress.peakResidentBytes() >> 20,
                trained.model.parameters(), layout.parameters(), notices);
    }

    private Parts parts(Trained trained, Learner learner) {
        double[] forward = new double[STEPS_IN_PARTS];
        double[] backward = new double[STEPS_IN_PARTS];
        double[] update = new double[STEPS_IN_PARTS];
        for (int i = 0; i < STEPS_IN_PARTS; i++) {
            int step = settings.warmup() + settings.steps() + 1 + i;
            MicroBatch batch = batch(step);
            announce(trained, learner, step);
            trained.lora.clearGradients();
            finish(trained.lora);
            forward[i] = milliseconds(trained.lora, () -> learner.evaluate(batch, trained.lora.values()));
            backward[i] = milliseconds(trained.lora, () -> learner.accumulate(batch, 1)) - forward[i];
            update[i] = milliseconds(trained.lora,
                    () -> trained.optimizer.update(trained.lora, step, LEARNING_RATE));
        }
        return new Parts(median(forward), median(backward), median(update));
    }

    private double milliseconds(Lora lora, Runnable work) {
        long start = System.nanoTime();
        work.run();
        finish(lora);
        return (System.nanoTime() - start) / 1e6;
    }

    private static double median(double[] values) {
        Arrays.sort(values);
        return values[values.length / 2];
    }

    /// Waits until the device has done all that was asked of it: to read a number takes that.
    private void finish(Lora lora) {
        backend.toArray(lora.values().slice(0, 1));
    }

    /// Unlike a training, a bench may be told what blocks keep; then all of them stay on the device.
    private MemoryPlan plan() {
        Size size = settings.size();
        Workload work = new Workload(size.config(), formats(), null, new Workload.Trained(layout, false, false),
                PassShape.of(size.grid(), size.textRows()), null, null);
        MemoryBudget asked = settings.vram() == null ? MemoryBudget.FREE : MemoryBudget.of(settings.vram());
        OptionalLong budget = asked.on(backend.memory());
        int layers = size.config().layers();
        if (settings.keep() == null && budget.isPresent()) {
            return MemoryPlan.within(budget.getAsLong(), work, backend::rehearsal);
        }
        Tape.Keep keep = settings.keep() == null ? Tape.Keep.ALL : settings.keep();
        return MemoryPlan.of(work, new Residency(layers, SLOTS, true), ActivationPlan.of(layers, keep),
                MemoryPlan.Arenas.RESERVED, backend::rehearsal);
    }

    /// As in a training: when the next noise level is not known, those of many steps are announced.
    ///
    /// @return milliseconds
    private double announce(Trained trained, Learner learner, int step) {
        if (trained.model.isReadyFor(level(step))) return 0;
        float[] levels = new float[TrainingLoop.MICRO_BATCHES_AHEAD];
        for (int i = 0; i < levels.length; i++) levels[i] = level(step + i);
        return milliseconds(trained.lora, () -> learner.announce(levels));
    }

    private static float level(int step) {
        return Philox.stream(SEED, "timestep", step).uniform(0);
    }

    private MicroBatch batch(int step) {
        float[] noise = normal("noise", step, latents.length);
        return new MicroBatch(latents, noise, new float[0], text, new int[] {settings.size().textRows()},
                new float[] {level(step)}, new float[] {1}, List.of(settings.size().grid()));
    }

    private static float[] normal(String purpose, int step, int count) {
        float[] numbers = new float[count];
        Philox.stream(SEED, purpose, step).fillNormal(numbers, 0);
        return numbers;
    }
}
