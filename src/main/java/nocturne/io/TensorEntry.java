package nocturne.io;

import java.util.List;

/// One tensor as the header of a safetensors file describes it; already checked against the file.
///
/// @param shape  sizes of the axes, row-major, outermost first; empty for a scalar
/// @param offset first byte, counted from the start of the file
/// @param bytes  length; always `elements() * dtype.bytes()`
public record TensorEntry(String name, DType dtype, List<Long> shape, long offset, long bytes) {
    public TensorEntry {
        shape = List.copyOf(shape);
    }

    /// Number of elements: 1 for a scalar, 0 where an axis is empty.
    public long elements() {
        return bytes / dtype.bytes();
    }
}
