package nocturne.train;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import nocturne.tensor.Backend;
import nocturne.tensor.TensorArena;

/// The arenas that a run makes on the processor, in their order, and what they take of the machine together.
final class WatchedArenas {
    private final List<TensorArena> arenas = new ArrayList<>();
    private long held;
    private long peakBytes;

    /// The same device; arenas that are made of it are watched.
    Backend on(Backend processor) {
        return (Backend) Proxy.newProxyInstance(Backend.class.getClassLoader(), new Class<?>[] {Backend.class},
                (self, method, given) -> {
                    if (method.getName().equals("newArena")) return watched(processor.newArena());
                    try {
                        return method.invoke(processor, given);
                    } catch (InvocationTargetException failed) {
                        throw failed.getCause();
                    }
                });
    }

    /// An arena that takes what the processor's own would.
    private TensorArena watched(TensorArena own) {
        Map<MemorySegment, Arena> blocks = new IdentityHashMap<>();
        TensorArena arena = new TensorArena(new TensorArena.Source() {
            @Override
            public MemorySegment allocate(long bytes) {
                Arena memory = Arena.ofShared();
                MemorySegment block = memory.allocate(bytes, 64);
                blocks.put(block, memory);
                held += bytes;
                peakBytes = Math.max(peakBytes, held);
                return block;
            }

            @Override
            public void release(MemorySegment block) {
                held -= block.byteSize();
                blocks.remove(block).close();
            }
        }, own.type());
        own.close();
        arenas.add(arena);
        return arena;
    }

    /// The most that was taken at once.
    long peakBytes() {
        return peakBytes;
    }

    List<TensorArena> arenas() {
        return List.copyOf(arenas);
    }
}
