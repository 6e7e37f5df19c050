package nocturne.cuda;

import java.util.Locale;

/// A graphics card as the driver describes it.
///
/// @param index      the driver's number for it, as in `cuda:0`; `CUDA_VISIBLE_DEVICES` decides what is counted
/// @param name       such as `NVIDIA H100 80GB HBM3`
/// @param capability what it can compute
/// @param bytes      of its memory, taken or free
public record Card(int index, String name, Capability capability, long bytes) {

    /// A generation of cards.
    ///
    /// Source: CUDA C++ Programming Guide, "Compute Capabilities".
    ///
    /// @param major such as 9 for Hopper, 8 for Ampere (8.0, 8.6) and Ada (8.9)
    public record Capability(int major, int minor) {
        /// bf16 on tensor cores and asynchronous copies came with Ampere; the kernels use both.
        static final Capability OLDEST = new Capability(8, 0);
        /// Products of e4m3 on tensor cores came with Ada.
        static final Capability WITH_E4M3 = new Capability(8, 9);

        /// Alone in multiplying e4m3 with a scale for each row and column by NVIDIA's library.
        static final Capability HOPPER = new Capability(9, 0);

        boolean isAtLeast(Capability other) {
            return major > other.major || major == other.major && minor >= other.minor;
        }

        @Override
        public String toString() {
            return major + "." + minor;
        }
    }

    /// Whether the kernels run on it.
    public boolean isUsable() {
        return capability.isAtLeast(Capability.OLDEST);
    }

    /// As people write it after `--device`.
    public String device() {
        return "cuda:" + index;
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%s (compute capability %s, %.1f GiB)", name, capability,
                bytes / (double) (1L << 30));
    }
}
