package nocturne.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/// Where sequences begin and end, in device memory.
///
/// Bounds are sent only when they differ from those of the last call: all blocks of a model attend to the same
/// sequences.
final class SequenceBounds implements AutoCloseable {
    private final Device device;
    private int[] sent = {};
    private MemorySegment memory = MemorySegment.NULL;

    SequenceBounds(Device device) {
        this.device = device;
    }

    /// @param bounds cumulative row numbers, see [nocturne.tensor.Attention.Layout]
    /// @return the same numbers as `int` on the device, valid until the next call
    MemorySegment onDevice(int[] bounds) {
        if (Arrays.equals(sent, bounds)) return memory;
        long bytes = (long) Integer.BYTES * bounds.length;
        if (memory.byteSize() < bytes) {
            close();
            memory = device.allocate(bytes);
        }
        try (Arena arena = Arena.ofConfined()) {
            device.copyIn(arena.allocateFrom(ValueLayout.JAVA_INT, bounds), memory.asSlice(0, bytes));
        }
        // The caller may change its array, and then these would be other bounds.
        sent = bounds.clone();
        return memory;
    }

    @Override
    public void close() {
        if (memory.byteSize() > 0) device.release(memory);
        memory = MemorySegment.NULL;
        sent = new int[0];
    }
}
