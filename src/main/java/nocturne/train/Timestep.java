package nocturne.train;

/// The noise level that one sample of a batch is trained at.
///
/// @param t          share of noise, in [0, 1]; what the model is given
/// @param index      its place in the table of noise levels, 0 = most noise
/// @param lossWeight factor of the sample's loss; 1 unless the sampling weighs
public record Timestep(float t, int index, float lossWeight) {
    /// One value of the noisy latents, `(1 - t) * latent + t * noise`, rounded as float32 rounds each operation.
    public float noisy(float latent, float noise) {
        return (1 - t) * latent + t * noise;
    }

    /// One value of what the model shall answer: the velocity from picture to noise, which no noise level changes.
    public static float target(float latent, float noise) {
        return noise - latent;
    }
}
