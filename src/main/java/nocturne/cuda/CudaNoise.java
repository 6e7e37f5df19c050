package nocturne.cuda;

import nocturne.tensor.Philox;
import nocturne.tensor.Tensor;

/// Normal numbers made on the device, by the kernel of `kernels/noise.cu`.
final class CudaNoise {
    private static final int THREADS = 256;
    /// Numbers of one block of the cipher, which one thread has.
    private static final int WORDS = 4;

    private static final StorageKernel NORMAL = StorageKernel.named("philox_normal");

    private final Device device;
    private final Arguments arguments = new Arguments();

    CudaNoise(Device device) {
        this.device = device;
    }

    /// Fills a tensor as [Philox#fillNormal] would, but for fewer than one float in ten million, which is off by one
    /// unit in its last place: logarithm, sine and cosine are not `StrictMath`'s.
    ///
    /// @param firstPosition of the first element
    void fillNormal(Philox source, long firstPosition, Tensor target) {
        long blocks = Math.ceilDiv((firstPosition & WORDS - 1) + target.elements(), WORDS);
        device.launch(NORMAL.on(target), Blocks.covering(blocks, THREADS), THREADS,
                arguments.start().pointer(target).longInteger(source.seed()).longInteger(source.stream())
                        .longInteger(firstPosition).longInteger(target.elements()));
    }
}
