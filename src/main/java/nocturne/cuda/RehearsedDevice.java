package nocturne.cuda;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import nocturne.tensor.DeviceMemory;

/// A device without memory and without kernels. The backend upon it asks for memory as it does on a card, operations'
/// scratch included; that is counted, and nothing else happens.
final class RehearsedDevice implements Device {
    /// Of the driver's allocations.
    private static final long ALIGNMENT = 256;

    private final boolean multipliesE4m3;
    private final Map<Long, Long> sizes = new HashMap<>();
    private long next = ALIGNMENT;
    private long used;
    private long peak;
    private long events;

    RehearsedDevice(boolean multipliesE4m3) {
        this.multipliesE4m3 = multipliesE4m3;
    }

    @Override
    public String name() {
        return "rehearsal";
    }

    @Override
    public boolean multipliesE4m3() {
        return multipliesE4m3;
    }

    /// As much is free as anybody wants.
    @Override
    public Optional<DeviceMemory> memory() {
        return Optional.of(new DeviceMemory(Long.MAX_VALUE, Long.MAX_VALUE, used, peak));
    }

    @Override
    public MemorySegment allocate(long bytes) {
        MemorySegment memory = address(bytes);
        sizes.put(memory.address(), bytes);
        used += bytes;
        peak = Math.max(peak, used);
        return memory;
    }

    private MemorySegment address(long bytes) {
        MemorySegment memory = MemorySegment.ofAddress(next).reinterpret(bytes);
        next += (Math.max(1, bytes) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        return memory;
    }

    @Override
    public void release(MemorySegment memory) {
        Long bytes = sizes.remove(memory.address());
        if (bytes == null) throw new IllegalArgumentException("not memory of this device, or given back twice");
        used -= bytes;
    }

    @Override
    public void copyIn(MemorySegment host, MemorySegment device) {}

    /// Leaves in host memory what was there.
    @Override
    public void copyOut(MemorySegment device, MemorySegment host) {}

    @Override
    public void copy(MemorySegment from, MemorySegment to) {}

    /// Memory that nobody may look into.
    @Override
    public MemorySegment allocateHost(long bytes) {
        return address(bytes);
    }

    @Override
    public long newEvent() {
        return ++events;
    }

    @Override
    public void record(long event) {}

    @Override
    public void copyInLater(MemorySegment host, MemorySegment device, long after, long done) {}

    @Override
    public void waitFor(long event) {}

    @Override
    public void launch(String kernel, int gridX, int gridY, int gridZ, int blockX, int blockY, int blockZ,
            int sharedBytes, Arguments arguments) {}

    @Override
    public void close() {
        sizes.clear();
        used = 0;
    }
}
