package nocturne.dataset;

import nocturne.image.Picture;

/// Scales a picture to exactly this size, in pixels.
@FunctionalInterface
public interface Resampler {
    Picture resize(Picture picture, int width, int height);
}
