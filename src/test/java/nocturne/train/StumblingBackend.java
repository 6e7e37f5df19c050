package nocturne.train;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import java.util.function.LongPredicate;
import nocturne.quant.QuantizedMatrix;
import nocturne.tensor.Backend;
import nocturne.tensor.Loss;
import nocturne.tensor.Operations;
import nocturne.tensor.Optimisation;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import nocturne.tensor.Weight;

/// A device that now and then computes a loss that is not a number, and a gradient like it.
final class StumblingBackend implements Backend {
    private final Backend backend;
    private final LongPredicate stumbles;
    private long losses;

    /// @param stumbles asked with the number of the training loss, counted from 0 over the backend's life
    StumblingBackend(Backend backend, LongPredicate stumbles) {
        this.backend = backend;
        this.stumbles = stumbles;
    }

    @Override
    public Operations operations() {
        return new Operations(backend.products(), backend.norms(), backend.attention(), backend.elementwise(),
                backend.convolution(), stumbling(backend.optimisation()));
    }

    private Optimisation stumbling(Optimisation sound) {
        return new Optimisation() {
            @Override
            public double loss(Loss kind, Tensor prediction, Tensor target, float[] sampleWeights,
                    float gradientScale, Tensor gradient) {
                double loss = sound.loss(kind, prediction, target, sampleWeights, gradientScale, gradient);
                boolean trains = gradientScale > 0;
                if (!trains || !stumbles.test(losses++)) return loss;
                backend.elementwise().fill(gradient, Float.NaN);
                return Double.NaN;
            }

            @Override
            public double sumOfSquares(Tensor x) {
                return sound.sumOfSquares(x);
            }

            @Override
            public void adamW(Tensor parameter, Tensor gradient, Tensor m, Tensor v, AdamW settings, int step,
                    float gradientFactor) {
                sound.adamW(parameter, gradient, m, v, settings, step, gradientFactor);
            }

            @Override
            public void adamW8(Tensor parameter, Tensor gradient, Moments8 moments, AdamW settings, int step,
                    float gradientFactor) {
                sound.adamW8(parameter, gradient, moments, settings, step, gradientFactor);
            }

            @Override
            public void moveTowards(Tensor average, Tensor value, float weight) {
                sound.moveTowards(average, value, weight);
            }
        };
    }

    @Override
    public String name() {
        return backend.name();
    }

    @Override
    public TensorArena newArena() {
        return backend.newArena();
    }

    @Override
    public Weight keep(QuantizedMatrix matrix, TensorArena arena) {
        return backend.keep(matrix, arena);
    }

    @Override
    public void write(float[] source, Tensor target) {
        backend.write(source, target);
    }

    @Override
    public void write(Consumer<MemorySegment> writer, Tensor target) {
        backend.write(writer, target);
    }

    @Override
    public void read(Tensor source, float[] target) {
        backend.read(source, target);
    }

    @Override
    public MemorySegment inHostMemory(Tensor tensor, Arena arena) {
        return backend.inHostMemory(tensor, arena);
    }

    @Override
    public void fromHostMemory(MemorySegment bytes, Tensor target) {
        backend.fromHostMemory(bytes, target);
    }

    @Override
    public void together(long multiplyAdds, Runnable first, Runnable second) {
        backend.together(multiplyAdds, first, second);
    }

    @Override
    public void close() {
        backend.close();
    }
}
