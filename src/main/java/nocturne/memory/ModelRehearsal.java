package nocturne.memory;

import java.util.Arrays;
import java.util.Objects;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import nocturne.adapter.Lora;
import nocturne.io.DType;
import nocturne.qwen.Grid;
import nocturne.qwen.PictureSize;
import nocturne.qwen.PromptEncoder;
import nocturne.qwen.QwenImageTransformer;
import nocturne.qwen.Residency;
import nocturne.qwen.TransformerInput;
import nocturne.qwen.Vae;
import nocturne.tensor.Adapters;
import nocturne.tensor.Backend;
import nocturne.tensor.Ops;
import nocturne.tensor.Tape;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.jspecify.annotations.Nullable;

/// A run on a device without memory, phase by phase in their order. Each phase leaves what it leaves on a real device:
/// arenas and scratch memory that have grown.
final class ModelRehearsal implements AutoCloseable {
    private static final float LEVEL = 0.5f;

    private final Workload work;
    private final Backend backend;
    private final TensorArena trained;
    private final TensorArena weights;
    private final TensorArena autoencoder;
    private final Lora lora;
    private @Nullable Vae vae;
    private @Nullable QwenImageTransformer base;
    private long recoveryBytes;

    ModelRehearsal(Workload work, Supplier<Backend> device) {
        this.work = work;
        backend = device.get();
        trained = backend.newArena();
        weights = backend.newArena();
        autoencoder = backend.newArena();
        lora = new Lora(work.trained().layout(), 1, backend, trained);
        TrainedBytes.of(work.trained()).allocateState(trained);
    }

    /// What has been taken of the device so far, and not given back.
    long usedBytes() {
        return backend.memory().orElseThrow().usedBytes();
    }

    /// Arenas that hold the same all the time.
    private long standingBytes() {
        return trained.reservedBytes() + weights.reservedBytes() + autoencoder.reservedBytes() + streamed().slots();
    }

    /// Scratch memory so far; asked between phases, when nothing else has been taken.
    private long scratchBytes(TensorArena passes) {
        return usedBytes() - standingBytes() - passes.reservedBytes();
    }

    TensorArena newArena() {
        return backend.newArena();
    }

    TensorArena trained() {
        return trained;
    }

    TensorArena weights() {
        return weights;
    }

    TensorArena autoencoder() {
        return autoencoder;
    }

    long recoveryBytes() {
        return recoveryBytes;
    }

    QwenImageTransformer.Streamed streamed() {
        return base == null ? QwenImageTransformer.Streamed.NOTHING : base.streamed();
    }

    /// Encodes everything, while nothing of the transformer is there.
    Phase.Need cache() {
        Workload.Encoders encoders = work.encoders();
        if (encoders == null) return new Phase.Need(Phase.CACHING, standingBytes(), 0, usedBytes() - standingBytes());
        PromptEncoder.rehearse(encoders.text(), encoders.vision(), encoders.promptTokens(), encoders.controls(),
                backend, () -> {
                    for (PictureSize size : encoders.pictures()) {
                        vae(encoders).encode(new float[3 * size.width() * size.height()], size.height(), size.width());
                    }
                });
        long standing = standingBytes();
        long scratch = usedBytes() - standing;
        long peak = backend.memory().orElseThrow().peakBytes();
        if (!work.draws()) forgetAutoencoder();
        return new Phase.Need(Phase.CACHING, standing, peak - standing - scratch, scratch);
    }

    private void forgetAutoencoder() {
        vae = null;
        autoencoder.close();
    }

    private Vae vae(Workload.Encoders encoders) {
        Vae loaded = vae;
        if (loaded == null) {
            loaded = Vae.empty(encoders.autoencoder(), backend, autoencoder);
            vae = loaded;
        }
        return loaded;
    }

    void load(Residency residency) {
        QwenImageTransformer made =
                QwenImageTransformer.empty(work.transformer(), work.formats(), residency, backend, weights);
        if (work.recovery() != null) {
            long before = weights.peakBytes();
            made = made.recoveredBy(work.recovery().beside(backend, weights));
            recoveryBytes = weights.peakBytes() - before;
        }
        base = made;
    }

    private QwenImageTransformer base() {
        return Objects.requireNonNull(base, "not loaded");
    }

    /// A step with what comes before the first one and at its end.
    long step(IntFunction<Tape.Keep> keep, TensorArena passes) {
        backend.eightBitProducts().ifPresent(products ->
                products.choose(base().pictureWeights(), 1, () -> tryOut(passes)));
        try (TensorArena.Scope scope = passes.scope()) {
            Tape tape = Tape.recording(backend, passes);
            TransformerInput input = input(work.training(), passes);
            loss(tape, input, base().with(lora.trained()).forward(tape, input, keep));
            tape.backward();
        }
        backend.optimisation().sumOfSquares(lora.values());
        return scratchBytes(passes);
    }

    private void tryOut(TensorArena passes) {
        try (TensorArena.Scope scope = passes.scope()) {
            Tape tape = Tape.recording(backend, passes);
            TransformerInput input = input(work.training(), passes);
            input.tokens().requireGrad();
            loss(tape, input, base().forward(tape, input, Tape.Keep.INPUTS));
            tape.backward();
        }
    }

    long measure(TensorArena passes) {
        PassShape heldOut = work.heldOut();
        if (heldOut != null) {
            try (TensorArena.Scope scope = passes.scope()) {
                Tape tape = Tape.inference(backend, passes);
                TransformerInput input = input(heldOut, passes);
                loss(tape, input, adapted(1).forward(tape, input, Tape.Keep.INPUTS));
            }
        }
        return scratchBytes(passes);
    }

    long draw(TensorArena passes) {
        Workload.Encoders encoders = work.encoders();
        if (encoders != null) encoders.drawings().forEach(drawing -> draw(encoders, drawing, passes));
        return scratchBytes(passes);
    }

    private void draw(Workload.Encoders encoders, Workload.Drawing drawing, TensorArena passes) {
        try (TensorArena.Scope scope = passes.scope()) {
            adapted(drawing.adapters())
                    .forward(Tape.inference(backend, passes), input(drawing.pass(), passes), Tape.Keep.INPUTS);
        }
        Vae vae = vae(encoders);
        int height = drawing.size().height() / vae.config().scale();
        int width = drawing.size().width() / vae.config().scale();
        vae.workingIn(passes).decode(new float[vae.config().latentDim() * height * width], height, width);
    }

    private QwenImageTransformer adapted(int adapters) {
        Adapters all = lora.frozen(lora.values(), 1);
        for (int i = 1; i < adapters; i++) all = all.and(lora.frozen(lora.gradients(), 1));
        return base().with(all);
    }

    private static void loss(Tape tape, TransformerInput input, Tensor velocity) {
        Tensor target = tape.arena().allocate(DType.F32, velocity.shape());
        new Ops(tape).meanSquaredError(velocity, target, new float[input.batch()], 1);
    }

    private TransformerInput input(PassShape shape, TensorArena passes) {
        int tokens = shape.grids().stream().mapToInt(Grid::tokens).sum();
        int[] lengths = new int[shape.batch()];
        float[] levels = new float[shape.batch()];
        Arrays.fill(lengths, shape.textRows());
        Arrays.fill(levels, LEVEL);
        if (shape.padded()) lengths[0]--;
        return new TransformerInput(
                passes.allocate(shape.batch() * tokens, work.transformer().tokenWidth()),
                passes.allocate(shape.batch() * shape.textRows(), work.transformer().textWidth()),
                lengths, levels, shape.grids());
    }

    @Override
    public void close() {
        trained.close();
        weights.close();
        autoencoder.close();
        backend.close();
    }
}
