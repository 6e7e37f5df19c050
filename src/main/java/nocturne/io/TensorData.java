package nocturne.io;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/// One tensor to be written: its name, what it is stored as, and where its values are now.
///
/// The values are not copied; they must hold still until the file is written.
public final class TensorData {
    private final String name;
    private final DType dtype;
    private final List<Long> shape;
    private final MemorySegment source;
    private final boolean narrowed;
    private final boolean finite;
    private final float factor;

    private TensorData(
            String name,
            DType dtype,
            List<Long> shape,
            MemorySegment source,
            boolean narrowed,
            boolean finite,
            float factor) {
        this.name = name;
        this.dtype = dtype;
        this.shape = List.copyOf(shape);
        this.source = source;
        this.narrowed = narrowed;
        this.finite = finite;
        this.factor = factor;
        if (name.equals("__metadata__")) throw new IllegalArgumentException("a tensor cannot be called " + name);
        long elements = 1;
        for (long size : shape) {
            if (size < 0) throw new IllegalArgumentException("negative size in shape %s of %s".formatted(shape, name));
            elements = Math.multiplyExact(elements, size);
        }
        long expected = Math.multiplyExact(elements, narrowed ? Float.BYTES : dtype.bytes());
        if (source.byteSize() != expected) {
            throw new IllegalArgumentException("%s: %s values of shape %s are %d bytes, %d were given".formatted(
                    name, narrowed ? "fp32" : dtype, shape, expected, source.byteSize()));
        }
    }

    /// fp32 values to be stored as F32, F16 or BF16, rounded to the nearest, ties to even.
    public static TensorData floats(String name, DType dtype, List<Long> shape, float[] values) {
        return floats(name, dtype, shape, MemorySegment.ofArray(values));
    }

    /// fp32 values in the machine's byte order, to be stored as F32, F16 or BF16.
    public static TensorData floats(String name, DType dtype, List<Long> shape, MemorySegment values) {
        return switch (dtype) {
            case F32, F16, BF16 -> new TensorData(name, dtype, shape, values, true, false, 1);
            case F64, F8_E4M3, F8_E5M2, I64, I32, I16, I8, U8, BOOL ->
                throw new IllegalArgumentException("fp32 values are not written as " + dtype);
        };
    }

    /// Stored as I32.
    public static TensorData ints(String name, List<Long> shape, int[] values) {
        return new TensorData(name, DType.I32, shape, MemorySegment.ofArray(values), false, false, 1);
    }

    /// Stored as I64.
    public static TensorData longs(String name, List<Long> shape, long[] values) {
        return new TensorData(name, DType.I64, shape, MemorySegment.ofArray(values), false, false, 1);
    }

    /// Stored as U8.
    public static TensorData bytes(String name, List<Long> shape, byte[] values) {
        return new TensorData(name, DType.U8, shape, MemorySegment.ofArray(values), false, false, 1);
    }

    /// Elements of one byte, stored as they are.
    ///
    /// @param dtype U8, I8, BOOL, F8_E4M3 or F8_E5M2
    public static TensorData bytes(String name, DType dtype, List<Long> shape, MemorySegment values) {
        if (dtype.bytes() != 1) throw new IllegalArgumentException(dtype + " has elements of several bytes");
        return new TensorData(name, dtype, shape, values, false, false, 1);
    }

    /// The same tensor, but writing it fails if a value is NaN or infinite, or would be after rounding.
    public TensorData mustBeFinite() {
        return new TensorData(name, dtype, shape, source, narrowed, true, factor);
    }

    /// The same tensor of fp32 values, each multiplied by `factor` before it is rounded.
    public TensorData times(float factor) {
        if (!narrowed) throw new IllegalArgumentException(name + " holds no fp32 values");
        return new TensorData(name, dtype, shape, source, true, finite, this.factor * factor);
    }

    /// The value that a reader of the file will find at `index`, for tensors of fp32 values.
    public float storedValue(long index) {
        float value = source.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, index) * factor;
        return switch (dtype) {
            case F16 -> HalfPrecision.fromF16(HalfPrecision.toF16(value));
            case BF16 -> HalfPrecision.fromBf16(HalfPrecision.toBf16(value));
            default -> value;
        };
    }

    public String name() {
        return name;
    }

    public DType dtype() {
        return dtype;
    }

    public List<Long> shape() {
        return shape;
    }

    /// Bytes in the file.
    long storedBytes() {
        return narrowed ? source.byteSize() / Float.BYTES * dtype.bytes() : source.byteSize();
    }

    /// fp32 to be rounded if [#isNarrowed], else elements of [#dtype]; in the machine's byte order.
    MemorySegment source() {
        return source;
    }

    float factor() {
        return factor;
    }

    boolean isNarrowed() {
        return narrowed;
    }

    boolean isCheckedFinite() {
        return finite;
    }
}
