package nocturne.cuda;

import java.util.Locale;

/// Whose code multiplies matrices on a card.
public enum ProductSource {
    /// NVIDIA's cuBLASLt where it is found, works, and has something for a product; else our own kernels.
    AUTO,
    /// Our own kernels alone.
    OWN,
    /// As `AUTO`, but without cuBLASLt there is no run.
    CUBLAS;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
