package nocturne.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A device whose kernels run on the processor, in `kernels/simulator`.
///
/// Each allocation ends (but for an alignment of 16 bytes) where memory begins that cannot be touched, starts full of
/// NaN, and is never used again after it was given back. What a kernel does wrong is thrown as a [SimulatedFault].
class SimulatedDevice implements Device {
    /// In which order the threads of a block, and the blocks, take turns. A kernel without a race gives the same bits
    /// in every order.
    ///
    /// Ascending and descending, one warp runs until it must wait at a barrier, then the next: what two warps do
    /// between the same two barriers happens in one order and in the other. Strided and shuffled, all take turns.
    enum Order { ASCENDING, DESCENDING, STRIDED, SHUFFLED }

    /// What every card from sm_80 on has for a block.
    private static final int MOST_SHARED_BYTES = 99 * 1024;
    /// Of the dynamic shared memory, which lies behind the static.
    private static final int SHARED_ALIGNMENT = 1024;

    private static final int MESSAGE_BYTES = 4096;

    private final KernelLibrary library;
    private final Order order;
    private final int threads;
    private final MethodHandle launch;
    private final MethodHandle allocate;
    private final MethodHandle free;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment message = arena.allocate(MESSAGE_BYTES);
    private final Map<Long, MemorySegment> allocations = new HashMap<>();
    private final Map<Long, Runnable> copiesOnTheirWay = new HashMap<>();
    private long events;

    /// The kernels of the project, in the plainest order.
    SimulatedDevice() {
        this(KernelLibrary.ofTheProject(), Order.ASCENDING, 1);
    }

    /// @param threads of the processor that share the blocks of a launch
    SimulatedDevice(KernelLibrary library, Order order, int threads) {
        this.library = library;
        this.order = order;
        this.threads = threads;
        launch = library.function("simulator_launch",
                FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT,
                        JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS, JAVA_LONG));
        allocate = library.function("simulator_allocate", FunctionDescriptor.of(ADDRESS, JAVA_LONG));
        free = library.function("simulator_free", FunctionDescriptor.ofVoid(ADDRESS));
    }

    @Override
    public String name() {
        return "simulated, " + order;
    }

    @Override
    public MemorySegment allocate(long bytes) {
        try {
            MemorySegment memory = (MemorySegment) allocate.invokeExact(bytes);
            if (memory.equals(MemorySegment.NULL)) throw new OutOfMemoryError(bytes + " bytes of simulated memory");
            allocations.put(memory.address(), memory);
            return memory.reinterpret(bytes);
        } catch (Throwable failed) {
            throw unexpected(failed);
        }
    }

    @Override
    public void release(MemorySegment memory) {
        MemorySegment ours = allocations.remove(memory.address());
        if (ours == null) throw new IllegalArgumentException("not memory of this device, or given back twice");
        try {
            free.invokeExact(ours);
        } catch (Throwable failed) {
            throw unexpected(failed);
        }
    }

    @Override
    public void copyIn(MemorySegment host, MemorySegment device) {
        copy(host, device);
    }

    @Override
    public void copyOut(MemorySegment device, MemorySegment host) {
        copy(device, host);
    }

    @Override
    public void copy(MemorySegment from, MemorySegment to) {
        if (from.byteSize() != to.byteSize()) {
            throw new IllegalArgumentException("copies " + from.byteSize() + " bytes to " + to.byteSize());
        }
        to.copyFrom(from);
    }

    @Override
    public MemorySegment allocateHost(long bytes) {
        return arena.allocate(bytes, 64);
    }

    @Override
    public long newEvent() {
        return ++events;
    }

    /// All work is done at once; there is nothing to mark.
    @Override
    public void record(long event) {}

    /// Arrives as late as it may, and until then there is NaN: who uses what was there before, or does not wait for
    /// what is to come, computes nothing but NaN.
    @Override
    public void copyInLater(MemorySegment host, MemorySegment device, long after, long done) {
        device.fill((byte) 0xFF);
        copiesOnTheirWay.put(done, () -> copy(host, device));
    }

    @Override
    public void waitFor(long event) {
        Runnable copy = copiesOnTheirWay.remove(event);
        if (copy != null) copy.run();
    }

    @Override
    public void launch(String kernel, int gridX, int gridY, int gridZ, int blockX, int blockY, int blockZ,
            int sharedBytes, Arguments arguments) {
        KernelLibrary.Kernel found = library.kernel(kernel);
        if (!arguments.fit(found.signature())) {
            throw new SimulatedFault("%s takes (%s) and got (%s): p pointer, i int, l int64_t, f float"
                    .formatted(kernel, found.signature(), arguments.signature()));
        }
        int block = blockX * blockY * blockZ;
        if (block > found.mostThreads()) {
            throw new SimulatedFault("%s: a block of %d threads, made for %d at most"
                    .formatted(kernel, block, found.mostThreads()));
        }
        int staticBytes = Math.ceilDiv(found.staticSharedBytes(), SHARED_ALIGNMENT) * SHARED_ALIGNMENT;
        if (sharedBytes > 0 && staticBytes + sharedBytes > MOST_SHARED_BYTES) {
            throw new SimulatedFault(("%s: %d bytes of shared memory, and up to %d that are static in its file; %d are "
                    + "the most that every card has").formatted(kernel, sharedBytes, staticBytes, MOST_SHARED_BYTES));
        }
        int failed;
        try (Arena call = Arena.ofConfined()) {
            failed = (int) launch.invokeExact(call.allocateFrom(kernel), found.call(), gridX, gridY, gridZ,
                    blockX, blockY, blockZ, sharedBytes, arguments.addresses(), order.ordinal(), threads, message,
                    (long) MESSAGE_BYTES);
        } catch (Throwable impossible) {
            throw unexpected(impossible);
        }
        if (failed != 0) throw new SimulatedFault(message.getString(0));
    }

    private static RuntimeException unexpected(Throwable failed) {
        if (failed instanceof Error error) throw error;
        return new IllegalStateException("calling the simulator", failed);
    }

    /// Gives back all memory, too.
    @Override
    public void close() {
        List.copyOf(allocations.values()).forEach(this::release);
        arena.close();
    }
}
