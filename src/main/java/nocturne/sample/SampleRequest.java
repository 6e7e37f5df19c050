package nocturne.sample;

import java.util.List;
import nocturne.image.Picture;

/// One picture that somebody wants, completely described; the adapter's strength is the model's business.
///
/// @param prompt    with the trigger word already in its place
/// @param negative  what the picture should not be; may be empty
/// @param width     pixels, a multiple of 32
/// @param height    pixels, a multiple of 32
/// @param steps     of the denoising loop, at least 2
/// @param seed      of the starting noise
/// @param strength  of the adapter; 1 is as trained, 0 the bare model
/// @param controls  pictures for an Edit model, as the user gave them
public record SampleRequest(String prompt, String negative, int width, int height, int steps, Guidance guidance,
        long seed, double strength, List<Picture> controls) {
    /// Sides are multiples of this: the autoencoder shrinks by 8, a token holds 2 x 2 latents, and the reference
    /// pipelines keep to even grids.
    public static final int SIDE_UNIT = 32;

    public SampleRequest {
        if (width < SIDE_UNIT || height < SIDE_UNIT || width % SIDE_UNIT != 0 || height % SIDE_UNIT != 0) {
            throw new IllegalArgumentException("%d x %d are not multiples of %d".formatted(width, height, SIDE_UNIT));
        }
        if (steps < 2) throw new IllegalArgumentException("steps must be at least 2, was " + steps);
        controls = List.copyOf(controls);
    }
}
