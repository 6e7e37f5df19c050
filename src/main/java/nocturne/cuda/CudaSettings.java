package nocturne.cuda;

import nocturne.io.DType;

/// In which numbers a CUDA device computes.
///
/// @param activations [DType#F32] or [DType#BF16]: the type of activations and of frozen weights that no format is
///     asked for
/// @param products    of frozen weights that are kept as codes
public record CudaSettings(DType activations, ProductMode products) {
    public CudaSettings {
        if (activations != DType.F32 && activations != DType.BF16) {
            throw new IllegalArgumentException("activations of " + activations);
        }
    }

    /// Nothing in fewer bits than the activations have.
    public static CudaSettings of(DType activations) {
        return new CudaSettings(activations, ProductMode.DECODED);
    }

    @Override
    public String toString() {
        return (activations == DType.F32 ? "fp32" : "bf16")
                + (products == ProductMode.EIGHT_BIT ? ", products in 8 bits" : "");
    }
}
