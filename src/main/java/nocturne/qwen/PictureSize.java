package nocturne.qwen;

/// Width and height in pixels, each at least 1.
public record PictureSize(int width, int height) {
    /// Pixels of the copy of a control picture that the language model of Edit-Plus sees, before its own rounding.
    public static final long CONDITION_AREA = 384L * 384;
    /// Pixels of the copy of a control picture that the VAE sees; also what the original edit pipeline's language model
    /// sees, and how large a picture comes out when nobody says otherwise.
    public static final long VAE_AREA = 1024L * 1024;
    /// Sides are multiples of this: the VAE shrinks by 8, the transformer groups 2 x 2, and the pipelines keep to even
    /// groups.
    public static final int MULTIPLE = 32;

    public PictureSize {
        if (width < 1 || height < 1) throw new IllegalArgumentException("a size of " + width + " x " + height);
    }

    /// The size of about `area` pixels in the proportions of this one: with `r = width / height`, `w = sqrt(area r)`
    /// and `h = w / r`, each rounded to the nearest multiple of 32, ties to even multiples, and at least 32.
    ///
    /// Source: `calculate_dimensions` of diffusers' Qwen-Image edit pipelines.
    public PictureSize ofArea(long area) {
        double ratio = (double) width / height;
        double exactWidth = Math.sqrt(area * ratio);
        double exactHeight = exactWidth / ratio;
        return new PictureSize(nearest(exactWidth, MULTIPLE), nearest(exactHeight, MULTIPLE));
    }

    /// The multiple of `step` nearest to `exact`, ties to the even multiple; at least `step`.
    static int nearest(double exact, int step) {
        return Math.max(step, Math.toIntExact((long) Math.rint(exact / step) * step));
    }
}
