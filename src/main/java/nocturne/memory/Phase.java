package nocturne.memory;

import java.util.Locale;

/// The parts of a run that come one after the other on a device.
public enum Phase {
    /// Captions, control pictures and pictures are encoded; the transformer is not there yet.
    CACHING,
    /// The frozen weights are brought to the device.
    LOADING,
    /// Forward pass, backward pass, update.
    TRAINING,
    /// Passes without gradients over pictures that are not trained on.
    HELD_OUT,
    /// The denoising loop and the autoencoder's decoder.
    SAMPLING;

    /// For people.
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /// What a phase has of the device at its peak. All in bytes.
    ///
    /// @param standing what is there before and after it, see [Standing]; while caching, of what is trained and of the
    ///     autoencoder alone; while loading, all but the slots
    /// @param work     of its passes: activations and what is kept for the backward pass, or the encoders, or a block's
    ///     weights on their way to the host
    /// @param scratch  of operations while they run: sums, decoded weights, operands in 8 bits
    public record Need(Phase phase, long standing, long work, long scratch) {
        public long bytes() {
            return standing + work + scratch;
        }
    }
}
