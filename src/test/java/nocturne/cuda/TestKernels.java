package nocturne.cuda;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import nocturne.cuda.SimulatedDevice.Order;

/// A kernel of `src/test/kernels` and memory to run it on.
final class TestKernels implements AutoCloseable {
    private final SimulatedDevice device;
    final Arguments arguments = new Arguments();

    /// @param source such as `faulty.cu`
    TestKernels(String source, Order order) {
        this(List.of(source), order, 1);
    }

    /// @param threads of the processor that share the blocks of a launch
    TestKernels(List<String> sources, Order order, int threads) {
        List<Path> files = sources.stream().map(source -> Path.of("src", "test", "kernels", source)).toList();
        device = new SimulatedDevice(KernelLibrary.of(files), order, threads);
    }

    /// Device memory for that many numbers of four bytes, full of NaN.
    MemorySegment memory(int count) {
        return device.allocate(4L * count);
    }

    MemorySegment memory(float... numbers) {
        MemorySegment memory = memory(numbers.length);
        MemorySegment.copy(numbers, 0, memory, ValueLayout.JAVA_FLOAT, 0, numbers.length);
        return memory;
    }

    MemorySegment memory(byte... numbers) {
        MemorySegment memory = device.allocate(numbers.length);
        MemorySegment.copy(numbers, 0, memory, ValueLayout.JAVA_BYTE, 0, numbers.length);
        return memory;
    }

    MemorySegment memory(short... numbers) {
        MemorySegment memory = device.allocate(2L * numbers.length);
        MemorySegment.copy(numbers, 0, memory, ValueLayout.JAVA_SHORT, 0, numbers.length);
        return memory;
    }

    static float[] floats(MemorySegment memory) {
        return memory.toArray(ValueLayout.JAVA_FLOAT);
    }

    void release(MemorySegment memory) {
        device.release(memory);
    }

    /// Runs a kernel with [#arguments].
    void run(String kernel, int blocks, int threads, int sharedBytes) {
        device.launch(kernel, blocks, 1, 1, threads, 1, 1, sharedBytes, arguments);
    }

    @Override
    public void close() {
        device.close();
    }
}
