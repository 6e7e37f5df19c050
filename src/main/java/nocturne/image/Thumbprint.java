package nocturne.image;

/// A picture at 16 x 16 pixels of brightness and 8 x 8 of colour: what settles whether two pictures with nearly the
/// same [PictureHash] are nearly the same. The hash alone takes one shape in two colours for the same.
///
/// @param grey `[16, 16]`, mean 0 and length 1; all 0 where the picture is even
/// @param blue `[8, 8]` and
/// @param red  `[8, 8]`: how far each is above the brightness, in 256ths
record Thumbprint(float[] grey, byte[] blue, byte[] red) {
    /// Least correlation of brightness: 1 is the same but for brightness and contrast.
    static final double LEAST_CORRELATION = 0.96;
    /// Most mean difference of the colours, in 256ths.
    static final double MOST_COLOUR = 8;

    private static final int SIDE = 16;
    private static final int COLOUR_SIDE = 8;
    /// Of the length of an even picture's deviations, which are nothing but rounding.
    private static final double EVEN = SIDE;

    static Thumbprint of(Picture picture, Grey grey) {
        float[] values = grey.scaled(SIDE, SIDE).values();
        double mean = 0;
        for (float value : values) mean += value / values.length;
        double squares = 0;
        for (float value : values) squares += (value - mean) * (value - mean);
        double length = Math.sqrt(squares);
        for (int i = 0; i < values.length; i++) values[i] = length < EVEN ? 0 : (float) ((values[i] - mean) / length);
        return new Thumbprint(values, above(picture, 2), above(picture, 0));
    }

    /// How far a channel is above the brightness, the mean over each of 8 x 8 fields.
    private static byte[] above(Picture picture, int channel) {
        byte[] above = new byte[COLOUR_SIDE * COLOUR_SIDE];
        byte[] rgb = picture.rgb();
        for (int row = 0; row < COLOUR_SIDE; row++) {
            int top = Math.min(picture.height() - 1, picture.height() * row / COLOUR_SIDE);
            int bottom = Math.max(top + 1, picture.height() * (row + 1) / COLOUR_SIDE);
            for (int column = 0; column < COLOUR_SIDE; column++) {
                int left = Math.min(picture.width() - 1, picture.width() * column / COLOUR_SIDE);
                int right = Math.max(left + 1, picture.width() * (column + 1) / COLOUR_SIDE);
                long sum = 0;
                for (int y = top; y < bottom; y++) {
                    for (int at = 3 * (y * picture.width() + left); at < 3 * (y * picture.width() + right); at += 3) {
                        int grey = 77 * (rgb[at] & 0xff) + 150 * (rgb[at + 1] & 0xff) + 29 * (rgb[at + 2] & 0xff);
                        sum += (rgb[at + channel] & 0xff) - (grey >> 8);
                    }
                }
                above[row * COLOUR_SIDE + column] = (byte) Math.round(sum / 2.0 / ((bottom - top) * (right - left)));
            }
        }
        return above;
    }

    /// @param mirrored compare with the other picture's left and right swapped
    boolean isAlike(Thumbprint other, boolean mirrored) {
        return correlation(other, mirrored) >= LEAST_CORRELATION
                && difference(blue, other.blue, mirrored) <= MOST_COLOUR
                && difference(red, other.red, mirrored) <= MOST_COLOUR;
    }

    private double correlation(Thumbprint other, boolean mirrored) {
        double sum = 0;
        double own = 0;
        double others = 0;
        for (int i = 0; i < grey.length; i++) {
            float a = grey[i];
            float b = other.grey[place(i, SIDE, mirrored)];
            sum += a * b;
            own += a * a;
            others += b * b;
        }
        // Two even pictures are alike, and an even one is like no other.
        return own == 0 && others == 0 ? 1 : sum;
    }

    private static double difference(byte[] one, byte[] other, boolean mirrored) {
        double sum = 0;
        for (int i = 0; i < one.length; i++) sum += 2 * Math.abs(one[i] - other[place(i, COLOUR_SIDE, mirrored)]);
        return sum / one.length;
    }

    private static int place(int i, int side, boolean mirrored) {
        return mirrored ? i / side * side + side - 1 - i % side : i;
    }
}
