package nocturne.tensor;

import java.lang.foreign.MemorySegment;
import nocturne.io.DType;
import org.jspecify.annotations.Nullable;

/// Numbers in row-major order, in memory that belongs to a backend.
///
/// They are float32 on the CPU backend, where [#data()] is native memory; on a device backend activations may be of a
/// narrower type, [#data()] is a device address, and only the backend may look through it. A tensor does not own its
/// memory: the [TensorArena] scope it was taken from does.
///
/// Gradients: a tensor that [#requiresGrad()] receives one during [Tape#backward]. A gradient buffer that outlives a
/// step (a trained parameter's) is kept and merely marked unwritten by [#clearGradient()], so that the next step's
/// first contribution overwrites it instead of needing zeros.
public final class Tensor implements Weight {
    private final Shape shape;
    private final DType type;
    private @Nullable MemorySegment data;
    private boolean requiresGrad;
    private @Nullable Tensor grad;
    private boolean gradWritten;
    private @Nullable Runnable computeAgain;

    /// @param data holds at least `type.bytes() * shape.elements()` bytes, or is an address only the backend can read
    public Tensor(Shape shape, DType type, MemorySegment data) {
        this.shape = shape;
        this.type = type;
        this.data = data;
    }

    /// The type of each element.
    public DType type() {
        return type;
    }

    @Override
    public Shape shape() {
        return shape;
    }

    public int dim(int axis) {
        return shape.dim(axis);
    }

    /// Rows when read as a matrix over the innermost axis.
    @Override
    public int rows() {
        return shape.rows();
    }

    /// The innermost extent.
    @Override
    public int columns() {
        return shape.columns();
    }

    @Override
    public long elements() {
        return shape.elements();
    }

    /// @throws IllegalStateException if it is a weight that is not on the device now; see [WeightStream]
    public MemorySegment data() {
        MemorySegment here = data;
        if (here == null) throw new IllegalStateException(this + " is not on the device; its block was not asked for");
        return here;
    }

    /// Says that a streamed weight's numbers now lie there. Views of a tensor do not follow it.
    public void moveTo(MemorySegment place) {
        if (place.byteSize() != type.bytes() * elements()) {
            throw new IllegalArgumentException("%d bytes for %s".formatted(place.byteSize(), this));
        }
        data = place;
    }

    /// Says that a streamed weight's numbers are not on the device any more.
    public void leaveDevice() {
        data = null;
    }

    /// The same numbers under another shape of equal size. Gradients are not shared with the view.
    public Tensor reshape(int... dims) {
        Shape target = Shape.of(dims);
        if (target.elements() != elements()) {
            throw new IllegalArgumentException("cannot view " + shape + " as " + target);
        }
        return new Tensor(target, type, data());
    }

    /// The rows `[from, from + count)` of the matrix over the innermost axis, sharing memory.
    public Tensor rowRange(int from, int count) {
        long rowBytes = (long) type.bytes() * columns();
        return new Tensor(Shape.of(count, columns()), type, data().asSlice(from * rowBytes, count * rowBytes));
    }

    /// Part of a tensor read as one long vector, under a shape of its own, sharing memory.
    ///
    /// @param from first element
    public Tensor slice(long from, int... dims) {
        Shape part = Shape.of(dims);
        return new Tensor(part, type, data().asSlice(type.bytes() * from, type.bytes() * part.elements()));
    }

    /// Says that the numbers are there for a while only, and how they are had again.
    void isBrief(Runnable computeAgain) {
        this.computeAgain = computeAgain;
    }

    boolean isBrief() {
        return computeAgain != null;
    }

    /// Brings the numbers back where they are brief; they stay until another result takes their place.
    void bringBack() {
        if (computeAgain != null) computeAgain.run();
    }

    public boolean requiresGrad() {
        return requiresGrad;
    }

    /// Marks this tensor as one whose gradient is wanted.
    public Tensor requireGrad() {
        requiresGrad = true;
        return this;
    }

    /// The gradient, or null where nothing has flowed into this tensor since it was last cleared.
    public @Nullable Tensor grad() {
        return gradWritten ? grad : null;
    }

    /// Gives this tensor a gradient buffer of the same shape whose content is not yet meaningful.
    public void attachGradient(Tensor buffer) {
        if (!buffer.shape.equals(shape) || buffer.type != type) {
            throw new IllegalArgumentException("gradient " + buffer + " for " + this);
        }
        grad = buffer;
        gradWritten = false;
    }

    /// Whether memory for the gradient is there, written or not. Such memory may have to outlive the pass, so that a
    /// contribution goes into it and never takes its place.
    boolean hasGradientBuffer() {
        return grad != null;
    }

    /// Hands over a finished gradient: the buffer now belongs to this tensor.
    void adoptGradient(Tensor buffer) {
        grad = buffer;
        gradWritten = true;
    }

    /// Forgets the gradient's content, not its buffer.
    public void clearGradient() {
        gradWritten = false;
    }

    /// The buffer to write a contribution into; marks it written. Ask [#grad()] first whether to overwrite or add.
    Tensor gradientBuffer(TensorArena arena) {
        Tensor buffer = grad;
        if (buffer == null) {
            buffer = arena.allocate(type, shape);
            grad = buffer;
        }
        gradWritten = true;
        return buffer;
    }

    @Override
    public String toString() {
        return "Tensor" + shape + (type == DType.F32 ? "" : " " + type);
    }
}
