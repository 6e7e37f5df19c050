package nocturne.image;

/// How sharp the sharpest part of a picture is.
///
/// The variance of the Laplacian, `4 g(x, y) - g(x - 1, y) - g(x + 1, y) - g(x, y - 1) - g(x, y + 1)`, which is large
/// where neighbouring pixels differ and near 0 where nothing is sharp. It is taken over each of 4 x 4 fields of the
/// picture at [Glance#SIDE] pixels, and the largest counts: a face before a soft background is a sharp picture.
///
/// Source of the measure: "Diatom autofocusing in brightfield microscopy", Pech-Pacheco and others, 2000.
public final class Sharpness {
    private static final int FIELDS = 4;

    private Sharpness() {}

    public static double of(Picture picture) {
        return of(Grey.of(picture));
    }

    static double of(Grey whole) {
        Grey grey = whole.within(Glance.SIDE);
        double sharpest = 0;
        for (int row = 0; row < FIELDS; row++) {
            for (int column = 0; column < FIELDS; column++) sharpest = Math.max(sharpest, field(grey, row, column));
        }
        return sharpest;
    }

    private static double field(Grey grey, int row, int column) {
        int width = grey.width();
        int left = 1 + (width - 2) * column / FIELDS;
        int right = 1 + (width - 2) * (column + 1) / FIELDS;
        int top = 1 + (grey.height() - 2) * row / FIELDS;
        int bottom = 1 + (grey.height() - 2) * (row + 1) / FIELDS;
        long pixels = (long) Math.max(0, right - left) * Math.max(0, bottom - top);
        if (pixels == 0) return 0;
        float[] g = grey.values();
        double sum = 0;
        double squares = 0;
        for (int y = top; y < bottom; y++) {
            for (int at = y * width + left; at < y * width + right; at++) {
                double laplacian = 4 * g[at] - g[at - 1] - g[at + 1] - g[at - width] - g[at + width];
                sum += laplacian;
                squares += laplacian * laplacian;
            }
        }
        double mean = sum / pixels;
        return Math.max(0, squares / pixels - mean * mean);
    }
}
