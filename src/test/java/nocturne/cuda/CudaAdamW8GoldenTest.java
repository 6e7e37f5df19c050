package nocturne.cuda;

import nocturne.golden.AdamW8Golden;
import nocturne.io.DType;
import nocturne.tensor.Backend;

/// bitsandbytes' AdamW8bit on the device: its bits too, those of its path for the processor.
class CudaAdamW8GoldenTest extends AdamW8Golden {
    @Override
    protected Backend backend() {
        return Simulated.backend(DType.BF16);
    }
}
