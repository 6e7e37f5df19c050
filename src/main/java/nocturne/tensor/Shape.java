package nocturne.tensor;

import java.util.Arrays;

/// The extents of a row-major tensor, outermost first: `[B, L, D]`.
public final class Shape {
    private final int[] dims;
    private final long elements;

    private Shape(int[] dims) {
        long product = 1;
        for (int dim : dims) {
            if (dim < 0) throw new IllegalArgumentException("negative extent in " + Arrays.toString(dims));
            product = Math.multiplyExact(product, (long) dim);
        }
        this.dims = dims;
        this.elements = product;
    }

    public static Shape of(int... dims) {
        return new Shape(dims.clone());
    }

    public int rank() {
        return dims.length;
    }

    /// The extent of one axis; negative axes count from the end, so `dim(-1)` is the innermost.
    public int dim(int axis) {
        return dims[axis < 0 ? dims.length + axis : axis];
    }

    public long elements() {
        return elements;
    }

    /// The number of rows when the tensor is read as a matrix whose columns are the innermost axis.
    public int rows() {
        return dims.length == 0 || dim(-1) == 0 ? 1 : Math.toIntExact(elements / dim(-1));
    }

    /// The innermost extent, 1 for a scalar.
    public int columns() {
        return dims.length == 0 ? 1 : dim(-1);
    }

    /// This shape with another innermost extent.
    public Shape withColumns(int columns) {
        int[] changed = dims.clone();
        changed[dims.length - 1] = columns;
        return new Shape(changed);
    }

    public int[] toArray() {
        return dims.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Shape shape && Arrays.equals(dims, shape.dims);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(dims);
    }

    @Override
    public String toString() {
        return Arrays.toString(dims);
    }
}
