package nocturne.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import nocturne.io.DType;
import nocturne.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// The arguments of a launch, in native memory that is used again for each: filling them allocates nothing.
///
/// The layout is that of `cuLaunchKernel`: an array of addresses, each of one value. Usage:
/// `device.launch("silu_f32", blocks, threads, arguments.start().pointer(x).pointer(y).longInteger(count))`.
public final class Arguments {
    private static final int MOST = 32;
    private static final long VALUE_BYTES = 8;

    private final MemorySegment values;
    private final MemorySegment addresses;
    private final byte[] kinds = new byte[MOST];
    private int count;

    public Arguments() {
        Arena arena = Arena.ofAuto();
        values = arena.allocate(MOST * VALUE_BYTES, VALUE_BYTES);
        addresses = arena.allocate(MOST * VALUE_BYTES, VALUE_BYTES);
        for (int i = 0; i < MOST; i++) {
            addresses.setAtIndex(ValueLayout.JAVA_LONG, i, values.address() + i * VALUE_BYTES);
        }
    }

    /// Forgets the arguments of the last launch.
    public Arguments start() {
        count = 0;
        return this;
    }

    /// Where a tensor's numbers begin; null becomes the null pointer.
    public Arguments pointer(@Nullable Tensor tensor) {
        return address(tensor == null ? 0 : tensor.data().address());
    }

    /// Where element number `element` of a tensor lies.
    public Arguments pointer(Tensor tensor, long element) {
        return address(tensor.data().address() + element * tensor.type().bytes());
    }

    /// Where memory of a device begins.
    public Arguments pointer(MemorySegment memory) {
        return address(memory.address());
    }

    /// Two arguments for a kernel that is told the storage type at run time: where the numbers begin, and whether they
    /// are float32 (1) or bf16 (0).
    ///
    /// @param tensor may be null; then the type means nothing
    public Arguments typed(@Nullable Tensor tensor) {
        if (tensor != null && tensor.type() != DType.F32 && tensor.type() != DType.BF16) {
            throw new IllegalArgumentException("float32 or bf16, not " + tensor);
        }
        return pointer(tensor).integer(tensor != null && tensor.type() == DType.BF16 ? 0 : 1);
    }

    private Arguments address(long address) {
        values.setAtIndex(ValueLayout.JAVA_LONG, next('p'), address);
        return this;
    }

    /// An `int` of the kernel.
    public Arguments integer(int value) {
        values.set(ValueLayout.JAVA_INT, next('i') * VALUE_BYTES, value);
        return this;
    }

    /// An `int64_t` of the kernel.
    public Arguments longInteger(long value) {
        values.setAtIndex(ValueLayout.JAVA_LONG, next('l'), value);
        return this;
    }

    /// A `float` of the kernel.
    public Arguments number(float value) {
        values.set(ValueLayout.JAVA_FLOAT, next('f') * VALUE_BYTES, value);
        return this;
    }

    private int next(char kind) {
        if (count == MOST) throw new IllegalStateException("a kernel with more than " + MOST + " parameters");
        kinds[count] = (byte) kind;
        return count++;
    }

    /// The array that `cuLaunchKernel` takes.
    public MemorySegment addresses() {
        return addresses;
    }

    /// One letter for each argument: `p`ointer, `i`nteger, `l`ong, `f`loat. For checks and messages; makes a string.
    public String signature() {
        return new String(kinds, 0, count, StandardCharsets.US_ASCII);
    }

    /// Whether the arguments are of these kinds.
    public boolean fit(String signature) {
        if (signature.length() != count) return false;
        for (int i = 0; i < count; i++) if (signature.charAt(i) != kinds[i]) return false;
        return true;
    }
}
