package nocturne.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import nocturne.adapter.Lora;
import nocturne.adapter.LoraLayout;
import nocturne.adapter.LoraTargets;
import nocturne.io.DType;
import nocturne.quant.LayerFormats;
import nocturne.quant.WeightType;
import nocturne.qwen.Grid;
import nocturne.qwen.QwenImageTransformer;
import nocturne.qwen.TransformerConfig;
import nocturne.tensor.Backend;
import nocturne.tensor.DeviceMemory;
import nocturne.tensor.Philox;
import nocturne.tensor.Rehearsal;
import nocturne.tensor.Shape;
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
    /// Of the device's free memory, for what operations need while they run.
    private static final long SPARE_BYTES = 1L << 30;
    private static final int RESERVED_ROW = 1 << 20;

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
                new TransformerConfig(60, 24, 128, 3584, 64, List.of(16, 56, 56), false), new Grid(64, 64), 200);

        /// The same with another number of blocks.
        public Size withLayers(int layers) {
            return new Size(name, new TransformerConfig(layers, config.heads(), config.headDim(), config.textWidth(),
                    config.tokenWidth(), config.axes(), config.zeroCondT()), grid, textRows);
        }
    }

    /// @param format of the blocks' linear layers; null for the device's own numbers
    /// @param keep   what every block keeps for its backward pass; null for what the memory allows
    /// @param budget bytes for the tensors of a step; null for what the device has free
    public record Settings(Size size, @Nullable WeightType format, int steps, int warmup, Tape.@Nullable Keep keep,
            @Nullable Long budget) {}

    /// Milliseconds for one optimiser step with one micro-batch.
    ///
    /// @param parts           medians of steps that were timed in parts, apart from the others
    /// @param loss            of the last step
    /// @param kept            how many blocks keep everything, results of products, and their inputs
    /// @param usefulFlops     of a step, see [StepWork]
    /// @param tensorBytes     memory of tensors, the model's own included
    /// @param devicePeakBytes the most that was held of the device's own memory, -1 where it has none
    /// @param notices         on products in 8 bits, where they were asked for
    /// @param peakMib         the most this whole process has held, from `/proc`; -1 where there is no such file
    public record Result(double medianMs, double minMs, double maxMs, Parts parts, double loss, Kept kept,
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

    public record Kept(int all, int products, int inputs) {}

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
        try (TensorArena weights = backend.newArena(); TensorArena passes = backend.newArena()) {
            DType activations = activations();
            try (Rehearsal rehearsal = new Rehearsal(activations); TensorArena needed = rehearsal.newArena()) {
                trained(rehearsal, needed);
                reserve(weights, needed.peakBytes());
            }
            Trained trained = trained(backend, weights);
            ActivationPlan plan = plan(activations);
            reserve(passes, plan.bytes());
            return measured(trained, plan, passes, weights);
        }
    }

    /// What there is before the first step.
    private record Trained(QwenImageTransformer model, Lora lora, AdamWOptimizer optimizer) {}

    private Trained trained(Backend device, TensorArena arena) {
        WeightType format = settings.format();
        TransformerConfig config = settings.size().config();
        LayerFormats formats = format == null ? LayerFormats.NONE
                : new LayerFormats(format, LoraTargets.of(config.layers(), config.width()).keySet());
        QwenImageTransformer model = QwenImageTransformer.random(config, formats, SEED, device, arena);
        Lora lora = new Lora(layout, RANK, device, arena);
        device.fillNormal(Philox.stream(SEED, "adapter"), LORA_DEVIATION, lora.values());
        AdamWOptimizer optimizer =
                new AdamWOptimizer(new AdamWOptimizer.Settings(0.9, 0.999, 1e-8, 0.01, 1), lora, device, arena);
        return new Trained(model, lora, optimizer);
    }

    private Result measured(Trained trained, ActivationPlan plan, TensorArena passes, TensorArena weights) {
        Lora lora = trained.lora;
        Learner learner = new Learner(trained.model, lora, plan, backend, passes);
        List<String> notices = new ArrayList<>(backend.notices());
        notices.addAll(EightBitCheck.of(trained.model, learner, List.of(batch(0)), backend));
        double[] milliseconds = new double[settings.steps()];
        double loss = 0;
        for (int step = 1 - settings.warmup(); step <= settings.steps(); step++) {
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
                milliseconds[milliseconds.length - 1], parts, loss,
                new Kept(plan.layers() - plan.inputs() - plan.products(), plan.products(), plan.inputs()),
                work.step(), weights.reservedBytes() + passes.reservedBytes(),
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

    private ActivationPlan plan(DType activations) {
        TransformerConfig config = settings.size().config();
        int layers = config.layers();
        MicroBatch batch = batch(0);
        Long told = settings.budget();
        Tape.Keep keep = settings.keep();
        if (keep == null && told == null && backend.memory().isEmpty()) keep = Tape.Keep.ALL;
        if (keep != null) {
            Tape.Keep alike = keep;
            long bytes = ActivationPlan.bytes(block -> alike, config, layout, activations, batch);
            return switch (keep) {
                case ALL -> new ActivationPlan(layers, 0, 0, bytes);
                case PRODUCTS -> new ActivationPlan(layers, 0, layers, bytes);
                case INPUTS -> new ActivationPlan(layers, layers, 0, bytes);
            };
        }
        long budget = told != null ? told : backend.memory().orElseThrow().freeBytes() - SPARE_BYTES;
        return ActivationPlan.within(budget, config, layout, activations, batch);
    }

    private DType activations() {
        try (TensorArena arena = backend.newArena()) {
            return arena.allocate(1).type();
        }
    }

    /// Takes so much of the device at once: an arena that grows takes up to a quarter more than is needed.
    private static void reserve(TensorArena arena, long bytes) {
        try (TensorArena.Scope scope = arena.scope()) {
            arena.allocate(DType.U8, Shape.of(Math.toIntExact(Math.ceilDiv(bytes, RESERVED_ROW)), RESERVED_ROW));
        }
    }

    private MicroBatch batch(int step) {
        float[] noise = normal("noise", step, latents.length);
        float t = Philox.stream(SEED, "timestep", step).uniform(0);
        return new MicroBatch(latents, noise, new float[0], text, new int[] {settings.size().textRows()},
                new float[] {t}, new float[] {1}, List.of(settings.size().grid()));
    }

    private static float[] normal(String purpose, int step, int count) {
        float[] numbers = new float[count];
        Philox.stream(SEED, purpose, step).fillNormal(numbers, 0);
        return numbers;
    }
}
