package nocturne.qwen;

/// How many of a transformer's blocks stay on the device; the others' weights are brought when they are needed, see
/// [nocturne.tensor.WeightStream].
///
/// @param residentBlocks those that stay; as many as there are or more: all
/// @param slots          for the others' weights, at least 2
/// @param tabulates      whether the modulation layers never stay: what they answer to the coming timesteps is computed
///     beforehand, for many of them at a time, and kept in host memory
public record Residency(int residentBlocks, int slots, boolean tabulates) {
    /// Everything stays.
    public static final Residency ALL = new Residency(Integer.MAX_VALUE, 2);

    public Residency {
        if (residentBlocks < 0 || slots < 2) {
            throw new IllegalArgumentException("%d resident blocks, %d slots".formatted(residentBlocks, slots));
        }
    }

    /// With the modulation layers among the blocks' others.
    public Residency(int residentBlocks, int slots) {
        this(residentBlocks, slots, false);
    }

    /// Whether a block's weights come and go. Those that do are spread evenly among those that stay, so that what is on
    /// its way has the time of several blocks to arrive.
    ///
    /// @param blocks of the model
    public boolean isStreamed(int block, int blocks) {
        long streamed = Math.max(0, (long) blocks - residentBlocks);
        return (block + 1) * streamed / blocks > block * streamed / blocks;
    }

    boolean isComplete(int blocks) {
        return residentBlocks >= blocks && !tabulates;
    }
}
