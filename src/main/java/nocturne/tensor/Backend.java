package nocturne.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import nocturne.io.DType;
import nocturne.quant.QuantizedMatrix;
import nocturne.quant.Rounding;
import nocturne.quant.WeightType;

/// A device that can hold tensors and compute with them. Knows no model.
///
/// The operations are grouped in families, each an interface whose methods write into tensors they are given; none
/// allocates a result, none records a gradient: that is [Ops] on a [Tape].
public interface Backend extends AutoCloseable {
    /// Name for people, such as `cpu (2 threads, OpenBLAS 0.3.31)`.
    String name();

    /// What a person should know about how it computes here.
    default List<String> notices() {
        return List.of();
    }

    /// The numbers it computes in: what decides its results but for their last bits.
    default String arithmetic() {
        return "float32";
    }

    /// A new, empty arena on this device; the caller closes it.
    TensorArena newArena();

    /// Keeps a frozen matrix in a smaller format, as far as this device can: where it computes in full precision alone,
    /// it keeps the numbers that the matrix means.
    ///
    /// @param arena where it stays as long as the model does
    Weight keep(QuantizedMatrix matrix, TensorArena arena);

    /// The same for numbers that are on this device already, and without a detour over the host where it can.
    ///
    /// @param numbers `[out, in]`; free to be overwritten when this returns
    default Weight keep(Tensor numbers, WeightType type, TensorArena arena) {
        float[] values = toArray(numbers);
        int columns = numbers.columns();
        Rounding rounding = Rounding.of(numbers.type());
        try (Arena memory = Arena.ofConfined()) {
            return keep(QuantizedMatrix.quantize("numbers", type, rounding, numbers.rows(), columns,
                    (row, to) -> System.arraycopy(values, row * columns, to, 0, columns), memory), arena);
        }
    }

    /// Whether what is kept so takes the memory of codes, and not that of the numbers they stand for.
    default boolean keepsCodes() {
        return false;
    }

    /// Fills a tensor with the normal numbers of `source` from its start, times `deviation`.
    default void fillNormal(Philox source, float deviation, Tensor target) {
        float[] numbers = new float[Math.toIntExact(target.elements())];
        source.fillNormal(numbers, 0);
        for (int i = 0; i < numbers.length; i++) numbers[i] *= deviation;
        write(numbers, target);
    }

    /// Room for weights that come and go; empty where the device's memory is the host's, which holds them all.
    ///
    /// @param slots how many parts are there at once, at least 2
    default Optional<WeightStream> weightStream(int slots) {
        return Optional.empty();
    }

    /// The device's memory, where it has one of its own.
    default Optional<DeviceMemory> memory() {
        return Optional.empty();
    }

    /// A device that takes memory as this one does and computes nothing: what a run on it has held, as its [#memory]
    /// tells, is what the same run takes here. The caller closes it.
    default Backend rehearsal() {
        try (TensorArena arena = newArena()) {
            return new Rehearsal(arena.type());
        }
    }

    /// Copies numbers from Java into a tensor of the same size, rounded to its type.
    void write(float[] source, Tensor target);

    /// Lets the caller put a tensor's numbers where they can be put without a copy on Java's heap.
    ///
    /// @param writer is handed host memory for as many float32 numbers, which become the tensor's content, rounded to
    ///     its type, when it returns
    void write(Consumer<MemorySegment> writer, Tensor target);

    /// Copies a tensor's numbers out.
    void read(Tensor source, float[] target);

    /// A tensor's bytes in host memory: where they lie, if that is host memory, else copied there.
    ///
    /// @param arena whose memory a copy takes
    MemorySegment inHostMemory(Tensor tensor, Arena arena);

    /// Makes bytes in host memory a tensor's content: the way back from [#inHostMemory].
    ///
    /// @param bytes native memory with elements of the tensor's type, as many as it has
    void fromHostMemory(MemorySegment bytes, Tensor target);

    /// Runs two independent pieces of work that write to different tensors, side by side where that is faster.
    ///
    /// @param multiplyAdds how much work each is, about: large work is cut up by each operation itself instead
    void together(long multiplyAdds, Runnable first, Runnable second);

    Operations operations();

    default Products products() {
        return operations().products();
    }

    /// The choice of layers that [#products] computes in 8 bits; empty where the device does that for none, or was not
    /// asked to.
    default Optional<EightBitProducts> eightBitProducts() {
        return Optional.empty();
    }

    default Norms norms() {
        return operations().norms();
    }

    default Attention attention() {
        return operations().attention();
    }

    default Elementwise elementwise() {
        return operations().elementwise();
    }

    default Convolution convolution() {
        return operations().convolution();
    }

    default Optimisation optimisation() {
        return operations().optimisation();
    }

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
        return filled(arena.allocate(dims), numbers);
    }

    /// A float32 tensor with these numbers, whatever the type of the device's activations.
    default Tensor floats(TensorArena arena, float[] numbers, int... dims) {
        return filled(arena.allocate(DType.F32, dims), numbers);
    }

    private Tensor filled(Tensor made, float[] numbers) {
        if (made.elements() != numbers.length) {
            throw new IllegalArgumentException(numbers.length + " numbers for a tensor " + made.shape());
        }
        write(numbers, made);
        return made;
    }
}
