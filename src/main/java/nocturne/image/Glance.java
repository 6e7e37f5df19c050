package nocturne.image;

import java.util.Arrays;

/// A picture as one sees it in passing: enough to compare it with others and to tell whether it is sharp.
///
/// @param header what the file says of itself
/// @param small  the whole picture, upright; its longer side has 512 to 1024 pixels, or is the picture's own where
///               that is shorter
public record Glance(PictureHeader header, Picture small) {
    /// The longer side of what is looked at, where the picture has it: half of what is usually trained.
    public static final int SIDE = 512;

    /// The fewest eighths of a picture that leave its longer side [#SIDE].
    static int eighths(int width, int height) {
        int longer = Math.max(width, height);
        return longer >= 8 * SIDE ? 1 : longer >= 4 * SIDE ? 2 : longer >= 2 * SIDE ? 4 : 8;
    }

    /// `picture` with its longer side brought into the range by averaging squares of pixels.
    static Picture reduced(Picture picture) {
        int step = Math.max(picture.width(), picture.height()) / SIDE;
        if (step < 2) return picture;
        int width = Math.ceilDiv(picture.width(), step);
        int height = Math.ceilDiv(picture.height(), step);
        byte[] rgb = new byte[3 * width * height];
        int[] sums = new int[3 * width];
        for (int y = 0; y < height; y++) {
            Arrays.fill(sums, 0);
            int top = y * step;
            int bottom = Math.min(picture.height(), top + step);
            for (int row = top; row < bottom; row++) {
                int from = 3 * row * picture.width();
                for (int x = 0; x < picture.width(); x++) {
                    int to = x / step * 3;
                    for (int c = 0; c < 3; c++) sums[to + c] += picture.rgb()[from++] & 0xff;
                }
            }
            for (int x = 0; x < width; x++) {
                int pixels = (bottom - top) * (Math.min(picture.width(), (x + 1) * step) - x * step);
                for (int c = 0; c < 3; c++) {
                    rgb[3 * (y * width + x) + c] = (byte) ((sums[3 * x + c] + pixels / 2) / pixels);
                }
            }
        }
        return new Picture(width, height, rgb);
    }
}
