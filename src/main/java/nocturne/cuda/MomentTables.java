package nocturne.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import nocturne.tensor.MomentCodes;

/// What the bytes of an optimiser's moments mean, in device memory: two `MomentTable`s of `kernels/optimisation.cu`,
/// for [MomentCodes#SIGNED] and for [MomentCodes#UNSIGNED]. Brought there when first asked for.
final class MomentTables implements AutoCloseable {
    private static final int CODES = 256;

    private final Device device;
    private MemorySegment memory = MemorySegment.NULL;

    MomentTables(Device device) {
        this.device = device;
    }

    MemorySegment memory() {
        if (memory.byteSize() == 0) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment tables = arena.allocate(4L * CODES * Float.BYTES, Float.BYTES);
                put(MomentCodes.SIGNED, tables, 0);
                put(MomentCodes.UNSIGNED, tables, 2 * CODES);
                memory = device.allocate(tables.byteSize());
                device.copyIn(tables, memory);
            }
        }
        return memory;
    }

    /// Values, then limits: `limits[c]` is the largest float that is not nearer to the value of `c + 1` than to that of
    /// `c`, so that a comparison in float decides as one with the exact middle would.
    private static void put(MomentCodes codes, MemorySegment tables, int at) {
        float[] values = codes.values();
        for (int code = 0; code < CODES; code++) {
            tables.setAtIndex(ValueLayout.JAVA_FLOAT, at + code, values[code]);
            float limit = code + 1 < CODES ? largestUpTo(middle(values, code)) : Float.POSITIVE_INFINITY;
            tables.setAtIndex(ValueLayout.JAVA_FLOAT, at + CODES + code, limit);
        }
    }

    private static double middle(float[] values, int code) {
        return ((double) values[code] + values[code + 1]) / 2;
    }

    private static float largestUpTo(double bound) {
        float nearest = (float) bound;
        return nearest > bound ? Math.nextDown(nearest) : nearest;
    }

    @Override
    public void close() {
        if (memory.byteSize() > 0) device.release(memory);
        memory = MemorySegment.NULL;
    }
}
