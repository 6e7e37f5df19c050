package nocturne.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import nocturne.io.DType;
import nocturne.quant.QuantizedMatrix;
import nocturne.tensor.Backend;
import nocturne.tensor.Operations;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import nocturne.tensor.Weight;

/// Computes on the processor, in native memory.
public final class CpuBackend implements Backend {
    /// Above this, cutting each operation up uses the threads better than running two operations at once.
    private static final long MOST_SIDE_BY_SIDE = 1L << 22;

    private final Workers workers;
    private final Operations operations;

    /// @param threads at least 1; results are the same bits for the same number
    public CpuBackend(int threads) {
        if (threads < 1) throw new IllegalArgumentException("threads must be at least 1, was " + threads);
        workers = new Workers(threads);
        operations = new Operations(new CpuProducts(workers), new CpuNorms(workers), new CpuAttention(workers),
                new CpuElementwise(workers), new CpuConvolution(workers), new CpuOptimisation(workers));
    }

    /// One thread for each processor this process may use.
    public static CpuBackend withAllProcessors() {
        return new CpuBackend(Runtime.getRuntime().availableProcessors());
    }

    @Override
    public String name() {
        return "cpu (%d threads, OpenBLAS)".formatted(workers.count());
    }

    @Override
    public TensorArena newArena() {
        return new TensorArena(new NativeMemory(), DType.F32);
    }

    @Override
    public Weight keep(QuantizedMatrix matrix, TensorArena arena) {
        Tensor numbers = arena.allocate(matrix.rows(), matrix.columns());
        matrix.dequantize(0, matrix.rows(), numbers.data(), 0);
        return numbers;
    }

    @Override
    public void write(float[] source, Tensor target) {
        if (source.length != target.elements()) {
            throw new IllegalArgumentException(source.length + " numbers for a tensor " + target.shape());
        }
        MemorySegment.copy(source, 0, target.data(), ValueLayout.JAVA_FLOAT, 0, source.length);
    }

    @Override
    public void write(Consumer<MemorySegment> writer, Tensor target) {
        writer.accept(target.data());
    }

    @Override
    public void read(Tensor source, float[] target) {
        if (target.length != source.elements()) {
            throw new IllegalArgumentException("a tensor " + source.shape() + " into " + target.length + " numbers");
        }
        MemorySegment.copy(source.data(), ValueLayout.JAVA_FLOAT, 0, target, 0, target.length);
    }

    @Override
    public MemorySegment inHostMemory(Tensor tensor, Arena arena) {
        return tensor.data();
    }

    @Override
    public void fromHostMemory(MemorySegment bytes, Tensor target) {
        long expected = target.type().bytes() * target.elements();
        if (bytes.byteSize() != expected) {
            throw new IllegalArgumentException("%d bytes for %s".formatted(bytes.byteSize(), target));
        }
        MemorySegment.copy(bytes, 0, target.data(), 0, expected);
    }

    @Override
    public void together(long multiplyAdds, Runnable first, Runnable second) {
        if (multiplyAdds > MOST_SIDE_BY_SIDE) {
            first.run();
            second.run();
            return;
        }
        workers.run(2, (piece, worker) -> {
            if (piece == 0) first.run();
            else second.run();
        });
    }

    @Override
    public Operations operations() {
        return operations;
    }

    @Override
    public void close() {
        workers.close();
    }

    /// Native blocks, each in an arena of its own so that it can be given back alone.
    private static final class NativeMemory implements TensorArena.Source {
        private final Map<Long, Arena> owners = new HashMap<>();

        @Override
        public MemorySegment allocate(long bytes) {
            Arena owner = Arena.ofShared();
            MemorySegment block = owner.allocate(bytes, 64);
            owners.put(block.address(), owner);
            return block;
        }

        @Override
        public void release(MemorySegment block) {
            Arena owner = owners.remove(block.address());
            if (owner != null) owner.close();
        }
    }
}
