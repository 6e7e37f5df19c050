package nocturne.qwen;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import nocturne.io.DType;
import nocturne.quant.QuantizedMatrix;
import nocturne.tensor.Backend;
import nocturne.tensor.Operations;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import nocturne.tensor.Weight;

/// A backend that remembers the arenas it made and counts the blocks they took and gave back.
final class WatchedBackend implements Backend {
    final List<TensorArena> arenas = new ArrayList<>();
    int taken;
    int released;
    private final Backend backend;

    WatchedBackend(Backend backend) {
        this.backend = backend;
    }

    @Override
    public TensorArena newArena() {
        TensorArena memory = backend.newArena();
        TensorArena arena = new TensorArena(new TensorArena.Source() {
            @Override
            public MemorySegment allocate(long bytes) {
                taken++;
                return memory.allocate(Math.toIntExact(bytes / 4)).data();
            }

            @Override
            public void release(MemorySegment block) {
                // The blocks share one arena below; it goes with the last of them.
                if (++released == taken) memory.close();
            }
        }, DType.F32);
        arenas.add(arena);
        return arena;
    }

    @Override
    public String name() {
        return backend.name();
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
    public void read(Tensor source, float[] target) {
        backend.read(source, target);
    }

    @Override
    public Operations operations() {
        return backend.operations();
    }

    @Override
    public void close() {
        backend.close();
    }
}
