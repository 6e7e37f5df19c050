package nocturne.cuda;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import nocturne.tensor.DeviceMemory;
import nocturne.tensor.TensorArena;

/// A CUDA device, or something that behaves like one: memory, and kernels that are launched by name.
///
/// Device memory is handed out as segments that only carry an address and a size; nobody but the device may look into
/// them. Work is done in the order in which it was asked for, and may be done later; what a copy to the host returns is
/// what all earlier work has left. Used by one thread at a time.
public interface Device extends TensorArena.Source, AutoCloseable {
    /// Name for people, such as `NVIDIA H100 80GB HBM3`.
    String name();

    /// Whether its tensor cores multiply numbers of [nocturne.io.DType#F8_E4M3], as those of cards from compute
    /// capability 8.9 on do.
    default boolean multipliesE4m3() {
        return true;
    }

    /// Products by a library of its maker, where there is one.
    default Optional<LibraryProducts> libraryProducts() {
        return Optional.empty();
    }

    /// What a person should know about how it computes.
    default List<String> notices() {
        return List.of();
    }

    /// How its memory stands, where that is known.
    default Optional<DeviceMemory> memory() {
        return Optional.empty();
    }

    /// @return memory of exactly `bytes` bytes, aligned to 64 bytes on a card, whose content may be anything
    @Override
    MemorySegment allocate(long bytes);

    /// Gives memory back that [#allocate] returned, once all earlier work is done.
    @Override
    void release(MemorySegment memory);

    /// Copies from the host; `host` may be written again when this returns.
    ///
    /// @param host   native memory
    /// @param device as many bytes
    void copyIn(MemorySegment host, MemorySegment device);

    /// Copies to the host, after all earlier work is done.
    ///
    /// @param host native memory, as many bytes
    void copyOut(MemorySegment device, MemorySegment host);

    /// Copies from one place of device memory to another that does not overlap it.
    ///
    /// @param to as many bytes
    void copy(MemorySegment from, MemorySegment to);

    /// Host memory that the device reaches by itself, for [#copyInLater]; given back with the device.
    MemorySegment allocateHost(long bytes);

    /// A new mark, for [#record], [#copyInLater] and [#waitFor]; given back with the device.
    long newEvent();

    /// Puts a mark behind all that was asked for so far, copies that are on their way excepted.
    void record(long event);

    /// Copies from the host beside the other work: an exception from the order in which work is done.
    ///
    /// @param host   memory of [#allocateHost], not to be written until the copy is done
    /// @param device as many bytes
    /// @param after  the copy begins when all work before this mark is done
    /// @param done   is put behind the copy; whoever uses `device` calls [#waitFor] before
    void copyInLater(MemorySegment host, MemorySegment device, long after, long done);

    /// Lets all that is asked for from now on begin when what is before a mark is done. The host does not wait.
    void waitFor(long event);

    /// Runs a kernel of `kernels/`.
    ///
    /// @param kernel      its name, such as `silu_bf16`
    /// @param gridX       blocks, up to 2^31 - 1; `gridY` and `gridZ` up to 65535
    /// @param blockX      threads of a block; `blockX * blockY * blockZ` up to 1024
    /// @param sharedBytes dynamic shared memory of a block, up to 101376: what every card from sm_80 on has
    /// @param arguments   in the order of the kernel's parameters; may be used for another launch when this returns
    void launch(String kernel, int gridX, int gridY, int gridZ, int blockX, int blockY, int blockZ, int sharedBytes,
            Arguments arguments);

    /// Runs a kernel on a one-dimensional grid of one-dimensional blocks, without dynamic shared memory.
    default void launch(String kernel, int blocks, int threads, Arguments arguments) {
        launch(kernel, blocks, 1, 1, threads, 1, 1, 0, arguments);
    }

    @Override
    void close();
}
