package nocturne.sample;

/// Classifier-free guidance: away from what the negative prompt leads to, towards what the prompt leads to.
///
/// `u = negative + scale * (positive - negative)`; then, where asked, each token of `u` is brought to the length that
/// it has in `positive`, which keeps large scales from burning colours.
///
/// Source: "Classifier-Free Diffusion Guidance", arXiv:2207.12598, equation 6; the restored length as in diffusers'
/// `QwenImagePipeline`.
///
/// @param scale       1 or less: off, and the negative prompt is not computed
/// @param restoreNorm as the released pipeline does
public record Guidance(double scale, boolean restoreNorm) {
    public static final Guidance OFF = new Guidance(1, true);

    public Guidance {
        if (!Double.isFinite(scale)) throw new IllegalArgumentException("guidance scale " + scale);
    }

    public boolean isOn() {
        return scale > 1;
    }

    /// The guided velocity.
    ///
    /// @param positive `[tokens, features]`
    /// @param negative likewise
    /// @return a new array
    float[] combine(float[] positive, float[] negative, int features) {
        float[] guided = new float[positive.length];
        float strength = (float) scale;
        for (int i = 0; i < guided.length; i++) guided[i] = negative[i] + strength * (positive[i] - negative[i]);
        if (!restoreNorm) return guided;
        for (int from = 0; from < guided.length; from += features) {
            double length = length(guided, from, features);
            // A token without length has no direction to keep: the reference would divide by zero.
            if (length == 0) continue;
            float ratio = (float) (length(positive, from, features) / length);
            for (int i = from; i < from + features; i++) guided[i] *= ratio;
        }
        return guided;
    }

    private static double length(float[] numbers, int from, int count) {
        double squares = 0;
        for (int i = from; i < from + count; i++) squares += (double) numbers[i] * numbers[i];
        return Math.sqrt(squares);
    }
}
