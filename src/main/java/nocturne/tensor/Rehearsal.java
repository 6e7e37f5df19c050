package nocturne.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.function.Consumer;
import nocturne.io.DType;
import nocturne.quant.QuantizedMatrix;
import nocturne.quant.WeightType;
import org.jspecify.annotations.Nullable;

/// A device that computes nothing and has no memory: to run a model on it costs milliseconds and tells, by
/// [TensorArena#peakBytes] and [#memory], what memory the real run takes in arenas, on a device that keeps all weights
/// in the type of its activations.
///
/// Nobody may look into its tensors. Losses are 0.
public final class Rehearsal implements Backend {
    private static final long ALIGNMENT = 64;

    private final DType activations;
    private final Operations operations;
    private long next = ALIGNMENT;
    private long used;
    private long peak;

    /// @param activations as those of the device that is rehearsed
    public Rehearsal(DType activations) {
        this.activations = activations;
        Nothing nothing = new Nothing();
        operations = new Operations(nothing, nothing, nothing, nothing, nothing, nothing);
    }

    @Override
    public String name() {
        return "rehearsal";
    }

    @Override
    public TensorArena newArena() {
        return new TensorArena(new TensorArena.Source() {
            @Override
            public MemorySegment allocate(long bytes) {
                used += bytes;
                peak = Math.max(peak, used);
                return address(bytes);
            }

            @Override
            public void release(MemorySegment block) {
                used -= block.byteSize();
            }
        }, activations);
    }

    private MemorySegment address(long bytes) {
        MemorySegment place = MemorySegment.ofAddress(next).reinterpret(bytes);
        next += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        return place;
    }

    /// As much is free as anybody wants.
    @Override
    public Optional<DeviceMemory> memory() {
        return Optional.of(new DeviceMemory(Long.MAX_VALUE, Long.MAX_VALUE, used, peak));
    }

    @Override
    public Backend rehearsal() {
        return new Rehearsal(activations);
    }

    @Override
    public Weight keep(QuantizedMatrix matrix, TensorArena arena) {
        return arena.allocate(matrix.rows(), matrix.columns());
    }

    @Override
    public Weight keep(Tensor numbers, WeightType type, TensorArena arena) {
        return arena.allocate(numbers.shape());
    }

    @Override
    public void fillNormal(Philox source, float deviation, Tensor target) {}

    @Override
    public void write(float[] source, Tensor target) {}

    @Override
    public void write(Consumer<MemorySegment> writer, Tensor target) {}

    @Override
    public void read(Tensor source, float[] target) {}

    @Override
    public MemorySegment inHostMemory(Tensor tensor, Arena arena) {
        throw new UnsupportedOperationException("a rehearsal has no numbers");
    }

    @Override
    public void fromHostMemory(MemorySegment bytes, Tensor target) {}

    @Override
    public void together(long multiplyAdds, Runnable first, Runnable second) {
        first.run();
        second.run();
    }

    @Override
    public Operations operations() {
        return operations;
    }

    @Override
    public void close() {}

    /// Every operation.
    private static final class Nothing
            implements Products, Norms, Attention, Elementwise, Convolution, Optimisation {
        @Override
        public void linear(Tensor x, Weight w, @Nullable Tensor bias, Tensor y) {}

        @Override
        public void linearBackward(Tensor dy, Weight w, float beta, Tensor dx) {}

        @Override
        public void product(Tensor a, boolean transposeA, Tensor b, boolean transposeB, float alpha, float beta,
                Tensor c) {}

        @Override
        public void layerNormModulate(Tensor x, Tensor modulation, int shiftPart, int scalePart, RowMap map, float eps,
                Tensor y, Tensor statistics) {}

        @Override
        public void layerNormModulateBackward(Tensor dy, Tensor x, Tensor modulation, int shiftPart, int scalePart,
                RowMap map, Tensor statistics, Tensor dx, boolean accumulate, Tensor dModulation) {}

        @Override
        public void rmsNorm(Tensor x, Tensor weight, float eps, Tensor y) {}

        @Override
        public void rmsNormBackward(Tensor dy, Tensor x, Tensor weight, float eps, Tensor dx, boolean accumulate) {}

        @Override
        public void headNormRotate(Tensor x, Tensor weight, Tensor cos, Tensor sin, int batch, int offset, float eps,
                Tensor out) {}

        @Override
        public void headNormRotateBackward(Tensor dOut, Tensor x, Tensor weight, Tensor cos, Tensor sin, int batch,
                int offset, float eps, Tensor dx) {}

        @Override
        public void forward(Tensor q, Tensor k, Tensor v, @Nullable Tensor keyBias, Layout layout, Tensor o,
                Tensor logSumExp) {}

        @Override
        public void backward(Tensor dO, Tensor q, Tensor k, Tensor v, @Nullable Tensor keyBias, Layout layout,
                Tensor o, Tensor logSumExp, Tensor dq, Tensor dk, Tensor dv) {}

        @Override
        public void fill(Tensor target, float value) {}

        @Override
        public void copy(Tensor source, Tensor target) {}

        @Override
        public void addScaled(Tensor x, float a, Tensor y) {}

        @Override
        public void gatedResidual(Tensor x, Tensor y, Tensor modulation, int gatePart, RowMap map, Tensor out) {}

        @Override
        public void gatedResidualBackward(Tensor dOut, Tensor y, Tensor modulation, int gatePart, RowMap map,
                Tensor dy, Tensor dModulation) {}

        @Override
        public void geluTanh(Tensor x, Tensor y) {}

        @Override
        public void geluTanhBackward(Tensor dy, Tensor x, Tensor dx) {}

        @Override
        public void silu(Tensor x, Tensor y) {}

        @Override
        public void geluErf(Tensor x, Tensor y) {}

        @Override
        public void swiGlu(Tensor gate, Tensor up, Tensor y) {}

        @Override
        public void rotateHalves(Tensor x, Tensor cos, Tensor sin, Tensor y) {}

        @Override
        public void placeRows(Tensor part, int batch, int offset, Tensor joint) {}

        @Override
        public void takeRows(Tensor joint, int batch, int offset, Tensor part) {}

        @Override
        public void convolve3x3(Tensor x, int height, int width, Grid grid, Tensor weight, Tensor bias, boolean add,
                Tensor y) {}

        @Override
        public void channelNorm(Tensor x, Tensor gamma, boolean silu, Tensor y) {}

        @Override
        public double loss(Loss kind, Tensor prediction, Tensor target, float[] sampleWeights, float gradientScale,
                Tensor gradient) {
            return 0;
        }

        @Override
        public double sumOfSquares(Tensor x) {
            return 0;
        }

        @Override
        public void adamW(Tensor parameter, Tensor gradient, Tensor m, Tensor v, AdamW settings, int step,
                float gradientFactor) {}

        @Override
        public void adamW8(Tensor parameter, Tensor gradient, Moments8 moments, AdamW settings, int step,
                float gradientFactor) {}

        @Override
        public void moveTowards(Tensor average, Tensor value, float weight) {}
    }
}
