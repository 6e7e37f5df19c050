package nocturne.cuda;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import nocturne.problem.SickMachine;
import nocturne.tensor.Backend;
import nocturne.tensor.DeviceMemory;

/// A simulated device that knows its memory as a card does, and may refuse to give some.
public final class MeasuredDevice extends SimulatedDevice {
    private final long total;
    private final Map<Long, Long> sizes = new HashMap<>();
    private long used;
    private long peak;
    private long allocations;
    private long refused = -1;

    private MeasuredDevice(long total) {
        super(KernelLibrary.ofTheProject(), Order.ASCENDING, 2);
        this.total = total;
    }

    /// @param bytes of memory, of which all is free
    public static MeasuredDevice of(long bytes) {
        return new MeasuredDevice(bytes);
    }

    /// The allocation of this number, from 1 on, and all after it are refused.
    public MeasuredDevice refusing(long allocation) {
        refused = allocation;
        return this;
    }

    /// The CUDA backend on it, which closes it.
    public Backend backend(CudaSettings settings) {
        return new CudaBackend(this, settings);
    }

    public long peakBytes() {
        return peak;
    }

    public long allocations() {
        return allocations;
    }

    @Override
    public Optional<DeviceMemory> memory() {
        return Optional.of(new DeviceMemory(total, total - used, used, peak));
    }

    @Override
    public MemorySegment allocate(long bytes) {
        allocations++;
        if (used + bytes > total || refused > 0 && allocations >= refused) {
            throw new SickMachine("GPU_OUT_OF_MEMORY", "the memory of a simulated device is not enough", null);
        }
        MemorySegment memory = super.allocate(bytes);
        sizes.put(memory.address(), bytes);
        used += bytes;
        peak = Math.max(peak, used);
        return memory;
    }

    @Override
    public void release(MemorySegment memory) {
        super.release(memory);
        Long bytes = sizes.remove(memory.address());
        used -= bytes == null ? 0 : bytes;
    }
}
