package nocturne.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import nocturne.io.DType;
import nocturne.tensor.Attention;
import nocturne.tensor.Backend;
import nocturne.tensor.Convolution;
import nocturne.tensor.Elementwise;
import nocturne.tensor.Norms;
import nocturne.tensor.Optimisation;
import nocturne.tensor.Products;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;

/// Computes on a CUDA device with the kernels of `kernels/`.
///
/// Activations and frozen weights are of the type given here; statistics, trained parameters and their gradients are
/// float32. All arithmetic is in float32 or wider than what is stored.
public final class CudaBackend implements Backend {
    private final Device device;
    private final DType activations;
    private final Scratch scratch;
    private final HostCopies hostCopies;
    private final CudaElementwise elementwise;

    /// @param device      closed with this backend
    /// @param activations [DType#F32] or [DType#BF16]
    public CudaBackend(Device device, DType activations) {
        if (activations != DType.F32 && activations != DType.BF16) {
            throw new IllegalArgumentException("activations of " + activations);
        }
        this.device = device;
        this.activations = activations;
        scratch = new Scratch(device);
        hostCopies = new HostCopies(device);
        elementwise = new CudaElementwise(device, scratch);
    }

    @Override
    public String name() {
        return "cuda (%s, %s)".formatted(device.name(), activations == DType.F32 ? "fp32" : "bf16");
    }

    @Override
    public TensorArena newArena() {
        return new TensorArena(device, activations);
    }

    @Override
    public void write(float[] source, Tensor target) {
        if (source.length != target.elements()) {
            throw new IllegalArgumentException(source.length + " numbers for a tensor " + target.shape());
        }
        hostCopies.write(MemorySegment.ofArray(source), target);
    }

    @Override
    public void write(Consumer<MemorySegment> writer, Tensor target) {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment floats = arena.allocate(Float.BYTES * target.elements(), 64);
            writer.accept(floats);
            hostCopies.write(floats, target);
        }
    }

    @Override
    public void read(Tensor source, float[] target) {
        if (target.length != source.elements()) {
            throw new IllegalArgumentException("a tensor " + source.shape() + " into " + target.length + " numbers");
        }
        hostCopies.read(source, MemorySegment.ofArray(target));
    }

    @Override
    public MemorySegment inHostMemory(Tensor tensor, Arena arena) {
        MemorySegment copy = arena.allocate(tensor.type().bytes() * tensor.elements(), 64);
        device.copyOut(tensor.data().asSlice(0, copy.byteSize()), copy);
        return copy;
    }

    /// One after the other: each operation alone fills the device.
    @Override
    public void together(long multiplyAdds, Runnable first, Runnable second) {
        first.run();
        second.run();
    }

    @Override
    public Products products() {
        throw new UnsupportedOperationException("products on CUDA");
    }

    @Override
    public Norms norms() {
        throw new UnsupportedOperationException("norms on CUDA");
    }

    @Override
    public Attention attention() {
        throw new UnsupportedOperationException("attention on CUDA");
    }

    @Override
    public Elementwise elementwise() {
        return elementwise;
    }

    @Override
    public Convolution convolution() {
        throw new UnsupportedOperationException("convolution on CUDA");
    }

    @Override
    public Optimisation optimisation() {
        throw new UnsupportedOperationException("optimisation on CUDA");
    }

    @Override
    public void close() {
        hostCopies.close();
        scratch.close();
        device.close();
    }
}
