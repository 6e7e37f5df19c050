package nocturne.image;

/// How the stored rows and columns of a picture must be turned to see it upright: the eight values of the EXIF tag.
///
/// Source: Exif 2.32, section 4.6.4, tag 0x0112. The constants stand in the order of the tag's values, 1 to 8.
public enum Orientation {
    /// 1: stored as seen.
    UPRIGHT,
    /// 2: left and right swapped.
    MIRRORED,
    /// 3: turned by half a circle.
    HALF_TURN,
    /// 4: top and bottom swapped.
    UPSIDE_DOWN,
    /// 5: rows and columns swapped.
    TRANSPOSED,
    /// 6: must be turned by 90 degrees clockwise.
    CLOCKWISE,
    /// 7: rows and columns swapped along the other diagonal.
    TRANSVERSED,
    /// 8: must be turned by 90 degrees counter-clockwise.
    COUNTER_CLOCKWISE;

    /// The orientation with this EXIF value; anything outside 1..8 means nothing and is taken as [#UPRIGHT].
    public static Orientation ofTag(int value) {
        return value >= 1 && value <= 8 ? values()[value - 1] : UPRIGHT;
    }

    /// The EXIF value, 1..8.
    public int tag() {
        return ordinal() + 1;
    }

    /// True where width and height change places.
    public boolean swapsSides() {
        return ordinal() >= TRANSPOSED.ordinal();
    }

    /// The picture as it should be seen; the same object where nothing is to be done.
    public Picture apply(Picture stored) {
        if (this == UPRIGHT) return stored;
        int w = stored.width();
        int h = stored.height();
        int width = swapsSides() ? h : w;
        int height = swapsSides() ? w : h;
        byte[] from = stored.rgb();
        byte[] to = new byte[from.length];
        for (int y = 0, at = 0; y < height; y++) {
            for (int x = 0; x < width; x++, at += 3) {
                int source = switch (this) {
                    case UPRIGHT -> y * w + x;
                    case MIRRORED -> y * w + (w - 1 - x);
                    case HALF_TURN -> (h - 1 - y) * w + (w - 1 - x);
                    case UPSIDE_DOWN -> (h - 1 - y) * w + x;
                    case TRANSPOSED -> x * w + y;
                    case CLOCKWISE -> (h - 1 - x) * w + y;
                    case TRANSVERSED -> (h - 1 - x) * w + (w - 1 - y);
                    case COUNTER_CLOCKWISE -> x * w + (w - 1 - y);
                } * 3;
                to[at] = from[source];
                to[at + 1] = from[source + 1];
                to[at + 2] = from[source + 2];
            }
        }
        return new Picture(width, height, to);
    }
}
