package nocturne.cuda;

import nocturne.io.DType;
import nocturne.tensor.Backend;

/// The CUDA backend on a simulated device, for tests of what is built upon it.
public final class Simulated {
    private Simulated() {}

    /// Not with `-Dnocturne.simulator=none`, on a machine that has a card and no compiler: there [TestCard] alone
    /// computes.
    static boolean isWanted() {
        return !System.getProperty("nocturne.simulator", "").equals("none");
    }

    /// A simulated device, or the card where that alone computes.
    ///
    /// @param order of the simulated threads; a card has its own
    static Device device(SimulatedDevice.Order order, int threads) {
        if (!isWanted()) {
            TestCard.required();
            return TestCard.lend();
        }
        return new SimulatedDevice(KernelLibrary.ofTheProject(), order, threads);
    }

    /// @param activations [DType#F32] or [DType#BF16]
    public static Backend backend(DType activations) {
        return backend(CudaSettings.of(activations));
    }

    public static Backend backend(CudaSettings settings) {
        return new CudaBackend(device(SimulatedDevice.Order.ASCENDING, 2), settings);
    }
}
