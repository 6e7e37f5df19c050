package nocturne.qwen;

/// What the encoder says about a picture: a normal distribution for each latent, in the autoencoder's own numbers.
///
/// Both arrays are `[latentDim, height, width]` and are not copied.
///
/// @param height      in latents
/// @param width       in latents
/// @param mean        also the mode
/// @param logVariance in -30..20
public record Moments(VaeConfig config, int height, int width, float[] mean, float[] logVariance) {
    private static final float LOWEST = -30;
    private static final float HIGHEST = 20;

    public Moments {
        int count = config.latentDim() * height * width;
        if (mean.length != count || logVariance.length != count) {
            throw new IllegalArgumentException("%d means and %d variances for latents [%d, %d, %d]".formatted(
                    mean.length, logVariance.length, config.latentDim(), height, width));
        }
    }

    /// @param moments `[2 * latentDim, height, width]`: means, then log-variances not yet clamped
    static Moments of(VaeConfig config, int height, int width, float[] moments) {
        int count = config.latentDim() * height * width;
        float[] mean = new float[count];
        float[] logVariance = new float[count];
        System.arraycopy(moments, 0, mean, 0, count);
        for (int i = 0; i < count; i++) logVariance[i] = Math.clamp(moments[count + i], LOWEST, HIGHEST);
        return new Moments(config, height, width, mean, logVariance);
    }

    /// The most probable latents, normalised: what a pipeline conditions on.
    public float[] mode() {
        return Latents.normalise(mean, config);
    }

    /// Latents drawn with given normal noise, normalised: `mean + exp(logVariance / 2) * noise`.
    ///
    /// @param noise standard normal, `[latentDim, height, width]`
    public float[] sample(float[] noise) {
        if (noise.length != mean.length) {
            throw new IllegalArgumentException(noise.length + " noises for " + mean.length + " latents");
        }
        float[] drawn = new float[mean.length];
        for (int i = 0; i < drawn.length; i++) {
            drawn[i] = mean[i] + (float) StrictMath.exp(0.5f * logVariance[i]) * noise[i];
        }
        return Latents.normalise(drawn, config);
    }
}
