package nocturne.cuda;

import java.lang.foreign.MemorySegment;

/// Device memory for what an operation needs while it runs. One piece for all: an operation's content is forgotten when
/// the next asks.
final class Scratch implements AutoCloseable {
    private final Device device;
    private MemorySegment memory = MemorySegment.NULL;

    Scratch(Device device) {
        this.device = device;
    }

    /// @return at least `bytes` bytes with undefined content; given back by nobody
    MemorySegment bytes(long bytes) {
        if (memory.byteSize() < bytes) {
            close();
            memory = device.allocate(bytes);
        }
        return memory;
    }

    /// @return room for `count` float32 numbers
    MemorySegment floats(long count) {
        return bytes(Float.BYTES * count);
    }

    @Override
    public void close() {
        if (memory.byteSize() > 0) device.release(memory);
        memory = MemorySegment.NULL;
    }
}
