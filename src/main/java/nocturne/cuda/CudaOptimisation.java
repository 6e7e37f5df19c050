package nocturne.cuda;

import java.lang.foreign.MemorySegment;
import nocturne.io.DType;
import nocturne.tensor.Loss;
import nocturne.tensor.MomentCodes;
import nocturne.tensor.Optimisation;
import nocturne.tensor.Tensor;

/// Loss and optimiser updates, by the kernels of `kernels/optimisation.cu`.
///
/// Parameters, their gradients and their moments are float32; only what the loss is computed of is of the activations'
/// type.
final class CudaOptimisation implements Optimisation, AutoCloseable {
    private static final int THREADS = 256;
    /// Threads of a block that has moments in bytes, a warp for each of their blocks; `MOMENT_THREADS` in
    /// `kernels/optimisation.cu`.
    private static final int MOMENT_THREADS = 256;
    private static final int WARP = 32;

    private static final StorageKernel SQUARED = StorageKernel.named("squared_loss");
    private static final StorageKernel ABSOLUTE = StorageKernel.named("absolute_loss");
    private static final StorageKernel PSEUDO_HUBER = StorageKernel.named("pseudo_huber_loss");

    private final Device device;
    private final DoubleSums sums;
    private final MomentTables tables;
    private final Arguments arguments = new Arguments();

    CudaOptimisation(Device device, Scratch scratch) {
        this.device = device;
        sums = new DoubleSums(device, scratch);
        tables = new MomentTables(device);
    }

    /// @param target float32, whatever the type of the others
    @Override
    public double loss(Loss kind, Tensor prediction, Tensor target, float[] sampleWeights, float gradientScale,
            Tensor gradient) {
        requireFloats(target);
        int batch = sampleWeights.length;
        long perSample = prediction.elements() / batch;
        int pieces = DoubleSums.pieces(perSample);
        MemorySegment partials = sums.partials(batch, pieces);
        for (int b = 0; b < batch; b++) {
            long from = b * perSample;
            float weight = gradientScale * sampleWeights[b] / (perSample * batch);
            arguments.start().pointer(prediction, from).pointer(target, from).pointer(gradient, from)
                    .pointer(partials.asSlice(DoubleSums.offset(b, pieces))).longInteger(perSample).number(weight);
            device.launch(kernel(kind).on(prediction, gradient), pieces, DoubleSums.THREADS, arguments);
        }
        sums.add(partials, batch, pieces);
        double loss = 0;
        for (int b = 0; b < batch; b++) loss += sampleWeights[b] * (sums.sum(b) / perSample);
        return loss / batch;
    }

    private static StorageKernel kernel(Loss kind) {
        return switch (kind) {
            case SQUARED -> SQUARED;
            case ABSOLUTE -> ABSOLUTE;
            case PSEUDO_HUBER -> PSEUDO_HUBER;
        };
    }

    @Override
    public double sumOfSquares(Tensor x) {
        requireFloats(x);
        int pieces = DoubleSums.pieces(x.elements());
        MemorySegment partials = sums.partials(1, pieces);
        device.launch("sum_of_squares", pieces, DoubleSums.THREADS,
                arguments.start().pointer(x).pointer(partials).longInteger(x.elements()));
        sums.add(partials, 1, pieces);
        return sums.sum(0);
    }

    @Override
    public void adamW(Tensor parameter, Tensor gradient, Tensor m, Tensor v, AdamW settings, int step,
            float gradientFactor) {
        requireFloats(parameter, gradient);
        requireFloats(m, v);
        arguments.start().pointer(parameter).pointer(gradient).pointer(m).pointer(v)
                .longInteger(parameter.elements()).number(gradientFactor);
        device.launch("adam_w", Blocks.covering(parameter.elements(), THREADS), THREADS,
                factors(arguments, settings, step));
    }

    @Override
    public void adamW8(Tensor parameter, Tensor gradient, Moments8 moments, AdamW settings, int step,
            float gradientFactor) {
        requireFloats(parameter, gradient);
        arguments.start().pointer(parameter).pointer(gradient).pointer(moments.m()).pointer(moments.v())
                .pointer(moments.mLargest()).pointer(moments.vLargest()).pointer(tables.memory())
                .longInteger(parameter.elements()).number(gradientFactor);
        int blocks = MomentCodes.blocks(parameter.elements());
        device.launch("adam_w_8", Blocks.covering(blocks, MOMENT_THREADS / WARP), MOMENT_THREADS,
                factors(arguments, settings, step));
    }

    /// Puts what all elements share among the arguments: `float decay, float step_size, float correction, float beta1,
    /// float rest1, float beta2, float rest2, float eps`.
    private static Arguments factors(Arguments arguments, AdamW settings, int step) {
        // StrictMath: the bits of the CPU backend on every processor.
        double stepSize = settings.learningRate() / (1 - StrictMath.pow(settings.beta1(), step));
        double correction = Math.sqrt(1 - StrictMath.pow(settings.beta2(), step));
        return arguments.number((float) (1 - settings.learningRate() * settings.weightDecay())).number((float) stepSize)
                .number((float) correction).number((float) settings.beta1()).number((float) (1 - settings.beta1()))
                .number((float) settings.beta2()).number((float) (1 - settings.beta2()))
                .number((float) settings.eps());
    }

    @Override
    public void moveTowards(Tensor average, Tensor value, float weight) {
        requireFloats(average, value);
        device.launch("move_towards", Blocks.covering(average.elements(), THREADS), THREADS,
                arguments.start().pointer(average).pointer(value).longInteger(average.elements()).number(weight));
    }

    private static void requireFloats(Tensor first, Tensor second) {
        requireFloats(first);
        requireFloats(second);
    }

    private static void requireFloats(Tensor tensor) {
        if (tensor.type() != DType.F32) throw new IllegalArgumentException("float32 wanted, not " + tensor);
    }

    @Override
    public void close() {
        tables.close();
    }
}
