package nocturne.image;

/// What a picture looks like from afar, in 63 bits: pictures that look alike differ in few of them.
///
/// The picture is made 32 x 32 grey pixels, and of its cosine transform the signs of the 8 x 8 lowest frequencies are
/// kept, without the mean. Brightness, contrast, size and compression change few signs, and a mirrored picture has the
/// signs of all odd frequencies across turned over, so that it is found by comparing once more.
///
/// Source of the idea: "Implementation and Benchmarking of Perceptual Image Hash Functions", C. Zauner, 2010, section
/// 3.2.1; signs instead of a median, for the sake of mirrored pictures.
///
/// @param bits bit `8 v + u` for frequency `u` across and `v` down; bit 0 is always 0
public record PictureHash(long bits) {
    /// Pictures at most this many bits apart are taken for the same one. Of two pictures that have nothing to do with
    /// each other about half the bits differ, 31 of 63; being as near as this by chance has a probability of 10^-11.
    public static final int ALIKE = 6;

    private static final int SIDE = 32;
    private static final int KEPT = 8;
    /// Bits of the odd frequencies across: columns 1, 3, 5, 7 of each row of 8.
    private static final long ODD_ACROSS = 0xaaaaaaaaaaaaaaaaL;
    private static final double[] COSINES = cosines();

    public static PictureHash of(Picture picture) {
        return of(Grey.of(picture));
    }

    static PictureHash of(Grey whole) {
        float[] grey = whole.scaled(SIDE, SIDE).values();
        double[] across = new double[SIDE * KEPT];
        for (int y = 0; y < SIDE; y++) {
            for (int u = 0; u < KEPT; u++) {
                double sum = 0;
                for (int x = 0; x < SIDE; x++) sum += grey[y * SIDE + x] * COSINES[u * SIDE + x];
                across[y * KEPT + u] = sum;
            }
        }
        long bits = 0;
        for (int v = 0; v < KEPT; v++) {
            for (int u = v == 0 ? 1 : 0; u < KEPT; u++) {
                double sum = 0;
                for (int y = 0; y < SIDE; y++) sum += across[y * KEPT + u] * COSINES[v * SIDE + y];
                if (sum > 0) bits |= 1L << 8 * v + u;
            }
        }
        return new PictureHash(bits);
    }

    /// In how many bits two pictures differ, 0 to 63.
    public int distance(PictureHash other) {
        return Long.bitCount(bits ^ other.bits);
    }

    /// The hash of the same picture with left and right swapped.
    public PictureHash mirrored() {
        return new PictureHash(bits ^ ODD_ACROSS);
    }

    private static double[] cosines() {
        double[] cosines = new double[KEPT * SIDE];
        for (int u = 0; u < KEPT; u++) {
            for (int x = 0; x < SIDE; x++) {
                cosines[u * SIDE + x] = StrictMath.cos((2 * x + 1) * u * Math.PI / (2 * SIDE));
            }
        }
        return cosines;
    }
}
