package nocturne.dataset;

import java.util.List;

/// An fp32 tensor as it lies in the cache.
///
/// @param shape  sizes of the axes, row-major, outermost first
/// @param values one per element; not copied
public record CachedTensor(List<Long> shape, float[] values) {
    public CachedTensor {
        shape = List.copyOf(shape);
        long elements = 1;
        for (long size : shape) {
            if (size < 0) throw new IllegalArgumentException("shape " + shape);
            elements = Math.multiplyExact(elements, size);
        }
        if (elements != values.length) {
            throw new IllegalArgumentException("%d values for shape %s".formatted(values.length, shape));
        }
    }
}
