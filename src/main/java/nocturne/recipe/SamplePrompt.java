package nocturne.recipe;

import java.util.List;

/// One picture to draw at each sampling, completely described.
///
/// @param width         pixels, a multiple of 32
/// @param height        pixels, a multiple of 32
/// @param seed          of its starting noise: the same at every sampling, so that pictures can be compared
/// @param guidanceScale strength of classifier-free guidance; 1 is none
/// @param steps         of the denoising loop
/// @param strength      of the adapter; 1 is as trained
/// @param restoreNorm   bring the guided prediction back to the length of the conditional one, token by token
/// @param controls      pictures of the bundle shown to an Edit model; up to 3
public record SamplePrompt(String prompt, String negative, int width, int height, long seed, double guidanceScale,
                           int steps, double strength, boolean restoreNorm, List<String> controls) {
    public SamplePrompt {
        Require.that(width >= 32 && width % 32 == 0 && height >= 32 && height % 32 == 0, "multiples of 32",
                width + "x" + height);
        Require.that(seed >= 0, "seed >= 0", seed);
        Require.that(guidanceScale >= 0, "guidanceScale >= 0", guidanceScale);
        Require.that(steps >= 2, "steps >= 2", steps);
        controls = List.copyOf(controls);
    }

    /// The same picture at other settings.
    SamplePrompt at(double guidance, double howStrong, long noise) {
        return new SamplePrompt(prompt, negative, width, height, noise, guidance, steps, howStrong, restoreNorm,
                controls);
    }

    /// The same picture of other words.
    SamplePrompt saying(String words) {
        return new SamplePrompt(words, negative, width, height, seed, guidanceScale, steps, strength, restoreNorm,
                controls);
    }
}
