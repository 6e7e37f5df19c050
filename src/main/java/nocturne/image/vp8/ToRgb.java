package nocturne.image.vp8;

/// Brings the two half-size colour planes to full size and turns all three into RGB, with libwebp's rounding.
///
/// Each colour sample of a pixel is the mean of the four nearest, weighed 9, 3, 3 and 1; the conversion is that of
/// ITU-R BT.601 with luma from 16 to 235, in 14-bit fixed point.
final class ToRgb {
    private final Plane y;
    private final Plane u;
    private final Plane v;
    private final int width;
    private final byte[] rgb;

    private ToRgb(Plane y, Plane u, Plane v, int width, int height) {
        this.y = y;
        this.u = u;
        this.v = v;
        this.width = width;
        this.rgb = new byte[3 * width * height];
    }

    /// @return `[height, width, 3]`
    static byte[] convert(Plane y, Plane u, Plane v, int width, int height) {
        ToRgb to = new ToRgb(y, u, v, width, height);
        int lastColour = (height - 1) / 2;
        for (int row = 0; row < height; row++) {
            int near = row / 2;
            int far = Math.clamp(near + ((row & 1) == 0 ? -1 : 1), 0, lastColour);
            to.row(row, near, far);
        }
        return to.rgb;
    }

    private void row(int row, int near, int far) {
        int columns = (width + 1) / 2;
        for (int x = 0; x < width; x++) {
            int column = x / 2;
            int side = (x & 1) == 0 ? column - 1 : column + 1;
            boolean inside = side >= 0 && side < columns;
            int colourU = inside ? blend(u, column, side, near, far) : atEnd(u, column, near, far);
            int colourV = inside ? blend(v, column, side, near, far) : atEnd(v, column, near, far);
            pixel(3 * (row * width + x), y.at(y.index(x, row)), colourU, colourV);
        }
    }

    /// Two roundings, as in libwebp: first the diagonal mean of eight parts, then the half with the nearest sample.
    private static int blend(Plane plane, int column, int side, int near, int far) {
        int nearest = plane.at(plane.index(column, near));
        int beside = plane.at(plane.index(side, near));
        int across = plane.at(plane.index(column, far));
        int diagonal = plane.at(plane.index(side, far));
        int mean = nearest + beside + across + diagonal + 8 + 2 * (beside + across) >> 3;
        return mean + nearest >> 1;
    }

    private static int atEnd(Plane plane, int column, int near, int far) {
        return 3 * plane.at(plane.index(column, near)) + plane.at(plane.index(column, far)) + 2 >> 2;
    }

    private void pixel(int at, int luma, int u, int v) {
        int light = luma * 19077 >> 8;
        rgb[at] = channel(light + (v * 26149 >> 8) - 14234);
        rgb[at + 1] = channel(light - (u * 6419 >> 8) - (v * 13320 >> 8) + 8708);
        rgb[at + 2] = channel(light + (u * 33050 >> 8) - 17685);
    }

    private static byte channel(int fixed) {
        return (byte) Math.clamp(fixed >> 6, 0, 255);
    }
}
