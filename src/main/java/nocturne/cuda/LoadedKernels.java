package nocturne.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The kernels on a card, by name.
final class LoadedKernels {
    /// What every kernel may use without being told.
    private static final int USUAL_SHARED_BYTES = 48 * 1024;
    private static final long IMAGE_ALIGNMENT = 64;

    private final DriverSession session;
    private final long[] modules;
    private final Map<String, Kernel> kernels = new HashMap<>();

    /// A kernel that can be launched.
    static final class Kernel {
        private final String name;
        private final long handle;
        private int sharedBytes = USUAL_SHARED_BYTES;

        private Kernel(String name, long handle) {
            this.name = name;
            this.handle = handle;
        }

        long handle() {
            return handle;
        }
    }

    /// @param images one for each family
    LoadedKernels(DriverSession session, List<byte[]> images) {
        this.session = session;
        modules = new long[images.size()];
        for (int i = 0; i < modules.length; i++) {
            byte[] image = images.get(i);
            // The driver copies what it needs while it loads.
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment bytes = arena.allocate(image.length, IMAGE_ALIGNMENT);
                bytes.copyFrom(MemorySegment.ofArray(image));
                modules[i] = session.module(bytes, "kernels");
            }
        }
    }

    /// @param sharedBytes of dynamic shared memory that it is about to be launched with
    /// @throws IllegalStateException if there is no such kernel, or it cannot have that much
    Kernel find(String name, int sharedBytes) {
        Kernel kernel = kernels.get(name);
        if (kernel == null) {
            kernel = new Kernel(name, handle(name));
            kernels.put(name, kernel);
        }
        if (sharedBytes > kernel.sharedBytes) allow(kernel, sharedBytes);
        return kernel;
    }

    private void allow(Kernel kernel, int sharedBytes) {
        int code = session.driver().setAttribute(kernel.handle, Driver.MAX_DYNAMIC_SHARED_BYTES, sharedBytes);
        if (code != 0) {
            throw session.failure(code, "giving %s %d bytes of shared memory".formatted(kernel.name, sharedBytes));
        }
        kernel.sharedBytes = sharedBytes;
    }

    private long handle(String name) {
        long[] handle = new long[1];
        for (long module : modules) {
            int code = session.driver().function(handle, module, name);
            if (code == 0) return handle[0];
            if (CudaError.of(code) != CudaError.NOT_FOUND) throw session.failure(code, "looking for kernel " + name);
        }
        throw new IllegalStateException("there is no kernel " + name + " in kernels/");
    }
}
