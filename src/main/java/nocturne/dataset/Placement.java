package nocturne.dataset;

/// How a picture is brought into its bucket: scaled to cover it, then cropped at the centre. All in pixels.
///
/// @param scaledWidth  width after scaling, at least `width`
/// @param scaledHeight height after scaling, at least `height`
/// @param left         columns cut off on the left
/// @param top          rows cut off at the top
/// @param width        of the bucket, a multiple of 32
/// @param height       of the bucket, a multiple of 32
public record Placement(int scaledWidth, int scaledHeight, int left, int top, int width, int height) {
    public Placement {
        if (width < 1 || height < 1 || left < 0 || top < 0
                || (long) left + width > scaledWidth || (long) top + height > scaledHeight) {
            throw new IllegalArgumentException("%d x %d at %d, %d does not lie inside %d x %d"
                    .formatted(width, height, left, top, scaledWidth, scaledHeight));
        }
    }

    /// Scales a picture to cover a bucket, one side exactly, and crops the other evenly.
    static Placement covering(int pictureWidth, int pictureHeight, int width, int height) {
        boolean wide = (long) pictureWidth * height >= (long) width * pictureHeight;
        int scaledWidth = wide ? atLeast(width, pictureWidth, height, pictureHeight) : width;
        int scaledHeight = wide ? height : atLeast(height, pictureHeight, width, pictureWidth);
        return new Placement(scaledWidth, scaledHeight,
                (scaledWidth - width) / 2, (scaledHeight - height) / 2, width, height);
    }

    private static int atLeast(int smallest, long side, long bucketOther, long other) {
        return (int) Math.max(smallest, (side * bucketOther + other / 2) / other);
    }

    /// The share of a picture's area that survives the crop, in (0, 1].
    public double kept() {
        return (double) width * height / ((double) scaledWidth * scaledHeight);
    }
}
