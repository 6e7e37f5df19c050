package nocturne.cuda;

import nocturne.io.DType;
import nocturne.tensor.Backend;

/// The CUDA backend on a simulated device, for tests of what is built upon it.
public final class Simulated {
    private Simulated() {}

    /// @param activations [DType#F32] or [DType#BF16]
    public static Backend backend(DType activations) {
        return backend(CudaSettings.of(activations));
    }

    public static Backend backend(CudaSettings settings) {
        return new CudaBackend(
                new SimulatedDevice(KernelLibrary.ofTheProject(), SimulatedDevice.Order.ASCENDING, 2), settings);
    }
}
