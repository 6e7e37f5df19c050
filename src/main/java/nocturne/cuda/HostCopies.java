package nocturne.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import nocturne.io.DType;
import nocturne.io.HalfPrecision;
import nocturne.tensor.Tensor;

/// Brings float32 numbers of the host to a device and back, piece by piece through native memory, where they take the
/// tensor's type. Rounding is to nearest, ties to even, as in the kernels.
final class HostCopies implements AutoCloseable {
    /// Large enough that the cost of a copy is its bytes.
    private static final int PIECE = 1 << 20;

    private final Device device;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment piece = arena.allocate((long) PIECE * Float.BYTES, 64);

    HostCopies(Device device) {
        this.device = device;
    }

    /// @param floats host memory, native or not: one float32 for each element
    void write(MemorySegment floats, Tensor target) {
        int width = target.type().bytes();
        for (long from = 0; from < target.elements(); from += PIECE) {
            int count = (int) Math.min(PIECE, target.elements() - from);
            narrow(floats, from, count, target.type());
            device.copyIn(piece.asSlice(0, (long) count * width),
                    target.data().asSlice(from * width, (long) count * width));
        }
    }

    /// @param floats host memory, native or not: room for one float32 for each element
    void read(Tensor source, MemorySegment floats) {
        int width = source.type().bytes();
        for (long from = 0; from < source.elements(); from += PIECE) {
            int count = (int) Math.min(PIECE, source.elements() - from);
            device.copyOut(source.data().asSlice(from * width, (long) count * width),
                    piece.asSlice(0, (long) count * width));
            widen(floats, from, count, source.type());
        }
    }

    private void narrow(MemorySegment floats, long from, int count, DType type) {
        if (type == DType.F32) {
            MemorySegment.copy(floats, ValueLayout.JAVA_FLOAT_UNALIGNED, from * Float.BYTES, piece,
                    ValueLayout.JAVA_FLOAT, 0, count);
        } else if (type == DType.BF16) {
            for (int i = 0; i < count; i++) {
                float value = floats.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, from + i);
                piece.setAtIndex(ValueLayout.JAVA_SHORT, i, HalfPrecision.toBf16(value));
            }
        } else {
            throw new IllegalArgumentException("float32 numbers into a tensor of " + type);
        }
    }

    private void widen(MemorySegment floats, long from, int count, DType type) {
        if (type == DType.F32) {
            MemorySegment.copy(piece, ValueLayout.JAVA_FLOAT, 0, floats, ValueLayout.JAVA_FLOAT_UNALIGNED,
                    from * Float.BYTES, count);
        } else if (type == DType.BF16) {
            for (int i = 0; i < count; i++) {
                float value = HalfPrecision.fromBf16(piece.getAtIndex(ValueLayout.JAVA_SHORT, i));
                floats.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, from + i, value);
            }
        } else {
            throw new IllegalArgumentException("float32 numbers from a tensor of " + type);
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
