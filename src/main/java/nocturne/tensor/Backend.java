package nocturne.tensor;

import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/// A device that can hold tensors and compute with them. Knows no model.
///
/// The operations are grouped in families, each an interface whose methods write into tensors they are given; none
/// allocates a result, none records a gradient: that is [Ops] on a [Tape].
public interface Backend extends AutoCloseable {
    /// Name for people, such as `cpu (2 threads, OpenBLAS 0.3.31)`.
    String name();

    /// A new, empty arena on this device; the caller closes it.
    TensorArena newArena();

    /// Copies numbers from Java into a tensor of the same size.
    void write(float[] source, Tensor target);

    /// Lets the caller put a tensor's numbers where they can be put without a copy on Java's heap.
    ///
    /// @param writer is handed host memory of `4 * elements` bytes that becomes the tensor's content when it returns
    void write(Consumer<MemorySegment> writer, Tensor target);

    /// Copies a tensor's numbers out.
    void read(Tensor source, float[] target);

    Products products();

    Norms norms();

    Attention attention();

    Elementwise elementwise();

    Convolution convolution();

    Optimisation optimisation();

    @Override
    void close();

    /// The numbers of a tensor as a fresh array.
    default float[] toArray(Tensor tensor) {
        float[] numbers = new float[Math.toIntExact(tensor.elements())];
        read(tensor, numbers);
        return numbers;
    }

    /// A tensor with these numbers.
    default Tensor tensor(TensorArena arena, float[] numbers, int... dims) {
        Tensor made = arena.allocate(dims);
        if (made.elements() != numbers.length) {
            throw new IllegalArgumentException(numbers.length + " numbers for a tensor " + made.shape());
        }
        write(numbers, made);
        return made;
    }
}
