package nocturne.memory;

/// What lies on the device from the model's loading to the end of a run. All in bytes.
///
/// @param coded       frozen weights that stay there in a format of few bits, scales included
/// @param plain       frozen weights that stay there in the type of activations
/// @param ring        slots for the frozen weights that come and go
/// @param recovery    the accuracy recovery adapter
/// @param adapter     values that are trained
/// @param gradients   of those
/// @param optimizer   its moments
/// @param average     the moving average of the values
/// @param autoencoder its weights, for sample pictures
/// @param slack       what arenas hold beside, where they were not given their size beforehand
public record Standing(long coded, long plain, long ring, long recovery, long adapter, long gradients, long optimizer,
        long average, long autoencoder, long slack) {
    public long bytes() {
        return coded + plain + ring + recovery + trained() + autoencoder + slack;
    }

    /// Adapter, gradients, optimiser and average.
    public long trained() {
        return adapter + gradients + optimizer + average;
    }
}
