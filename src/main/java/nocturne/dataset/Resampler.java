package nocturne.dataset;

import nocturne.image.Picture;
import nocturne.image.Resample;

/// Scales a picture to exactly this size, in pixels.
@FunctionalInterface
public interface Resampler {
    Picture resize(Picture picture, int width, int height);

    /// What training pictures are scaled with: Lanczos keeps more fine texture than the bicubic filter that ai-toolkit
    /// takes for targets, and is what the edit pipelines bring control pictures to size with.
    static Resampler lanczos() {
        return (picture, width, height) -> Resample.pillow(
                picture, width, height, Resample.Filter.LANCZOS, Resample.Order.HORIZONTAL_FIRST);
    }
}
