package nocturne.report;

import java.util.Arrays;
import nocturne.image.Picture;

/// A sheet to draw on: rectangles, smooth lines, letters and pictures.
///
/// Plain arithmetic on `float`s in a fixed order, so that every machine draws the same bytes. Coordinates are
/// pixels, x to the right and y down, (0, 0) the outer corner of the top left pixel. Whatever lies outside the
/// sheet is cut off. Colours are `0xRRGGBB`.
final class Canvas {
    private final int width;
    private final int height;
    private final byte[] rgb;         // [height, width, 3]

    Canvas(int width, int height, int colour) {
        this.width = width;
        this.height = height;
        this.rgb = new byte[Math.multiplyExact(Math.multiplyExact(width, height), 3)];
        fill(0, 0, width, height, colour, 1);
    }

    Picture picture() {
        return new Picture(width, height, rgb);
    }

    /// @param opacity 0 leaves what is there, 1 covers it
    void fill(int left, int top, int wide, int high, int colour, double opacity) {
        for (int y = Math.max(0, top); y < Math.min(height, top + high); y++) {
            for (int x = Math.max(0, left); x < Math.min(width, left + wide); x++) blend(x, y, colour, (float) opacity);
        }
    }

    void frame(int left, int top, int wide, int high, int colour) {
        fill(left, top, wide, 1, colour, 1);
        fill(left, top + high - 1, wide, 1, colour, 1);
        fill(left, top + 1, 1, high - 2, colour, 1);
        fill(left + wide - 1, top + 1, 1, high - 2, colour, 1);
    }

    /// The smooth line through the points. Where it crosses itself it does not get darker.
    ///
    /// @param points  `[n, 2]` x and y; one point alone is a dot
    /// @param thick   pixels
    /// @param clip    the rectangle (left, top, width, height) outside which nothing is drawn
    void line(double[][] points, double thick, int colour, double opacity, int[] clip) {
        int left = Math.max(0, clip[0]);
        int top = Math.max(0, clip[1]);
        int right = Math.min(width, clip[0] + clip[2]);
        int bottom = Math.min(height, clip[1] + clip[3]);
        if (points.length == 0 || left >= right || top >= bottom) return;
        // How much of each pixel the whole line covers, so that the joints of its pieces are painted once.
        float[] cover = new float[(right - left) * (bottom - top)];
        double reach = thick / 2 + 1;
        for (int i = 0; i < Math.max(1, points.length - 1); i++) {
            double[] a = points[i];
            double[] b = points[Math.min(i + 1, points.length - 1)];
            int fromX = clamp(Math.floor(Math.min(a[0], b[0]) - reach), left, right);
            int toX = clamp(Math.ceil(Math.max(a[0], b[0]) + reach), left, right);
            int fromY = clamp(Math.floor(Math.min(a[1], b[1]) - reach), top, bottom);
            int toY = clamp(Math.ceil(Math.max(a[1], b[1]) + reach), top, bottom);
            for (int y = fromY; y < toY; y++) {
                for (int x = fromX; x < toX; x++) {
                    double covered = thick / 2 + 0.5 - distance(x + 0.5, y + 0.5, a, b);
                    int at = (y - top) * (right - left) + x - left;
                    cover[at] = Math.max(cover[at], (float) Math.clamp(covered, 0, 1));
                }
            }
        }
        for (int y = top; y < bottom; y++) {
            for (int x = left; x < right; x++) {
                float covered = cover[(y - top) * (right - left) + x - left];
                if (covered > 0) blend(x, y, colour, covered * (float) opacity);
            }
        }
    }

    /// A ring between two radii around (x, y); a disc if `inner` is negative.
    void ring(double x, double y, double inner, double outer, int colour) {
        for (int row = clamp(y - outer - 1, 0, height); row < clamp(y + outer + 2, 0, height); row++) {
            for (int column = clamp(x - outer - 1, 0, width); column < clamp(x + outer + 2, 0, width); column++) {
                double dx = column + 0.5 - x;
                double dy = row + 0.5 - y;
                double away = Math.sqrt(dx * dx + dy * dy);
                double covered = Math.clamp(Math.min(outer - away, inner < 0 ? 1 : away - inner) + 0.5, 0, 1);
                if (covered > 0) blend(column, row, colour, (float) covered);
            }
        }
    }

    /// One line of [Letters], each dot a square of `scale` pixels; (x, y) is the top left corner of a capital.
    void text(String text, int x, int y, int scale, int colour) {
        int pen = x;
        for (char letter : Letters.drawable(text).toCharArray()) {
            boolean[][] dots = Letters.dots(letter);
            for (int row = 0; row < dots.length; row++) {
                for (int column = 0; column < dots[row].length; column++) {
                    if (dots[row][column]) fill(pen + column * scale, y + row * scale, scale, scale, colour, 1);
                }
            }
            pen += Letters.advance(letter) * scale;
        }
    }

    /// As [#text], ending at x.
    void textLeftOf(String text, int x, int y, int scale, int colour) {
        text(text, x - Letters.width(Letters.drawable(text)) * scale, y, scale, colour);
    }

    /// As [#text], centred on x.
    void textAround(String text, int x, int y, int scale, int colour) {
        text(text, x - Letters.width(Letters.drawable(text)) * scale / 2, y, scale, colour);
    }

    /// @param enlarge each pixel becomes a square of this side, hard-edged, so that small pictures show what they are
    void picture(Picture picture, int left, int top, int enlarge) {
        for (int y = 0; y < picture.height(); y++) {
            for (int x = 0; x < picture.width(); x++) {
                int colour = picture.at(x, y, 0) << 16 | picture.at(x, y, 1) << 8 | picture.at(x, y, 2);
                fill(left + x * enlarge, top + y * enlarge, enlarge, enlarge, colour, 1);
            }
        }
    }

    private void blend(int x, int y, int colour, float opacity) {
        int at = (y * width + x) * 3;
        for (int channel = 0; channel < 3; channel++) {
            int over = colour >> (16 - 8 * channel) & 0xff;
            int under = rgb[at + channel] & 0xff;
            rgb[at + channel] = (byte) Math.round(under + (over - under) * opacity);
        }
    }

    private static double distance(double x, double y, double[] a, double[] b) {
        double dx = b[0] - a[0];
        double dy = b[1] - a[1];
        double length2 = dx * dx + dy * dy;
        double along = length2 == 0 ? 0 : Math.clamp(((x - a[0]) * dx + (y - a[1]) * dy) / length2, 0, 1);
        double offX = x - (a[0] + along * dx);
        double offY = y - (a[1] + along * dy);
        return Math.sqrt(offX * offX + offY * offY);
    }

    private static int clamp(double value, int low, int high) {
        return (int) Math.clamp(value, low, Math.max(low, high));
    }

    /// The picture with each square of `reduce` x `reduce` pixels averaged into one; ragged edges are cut off.
    static Picture reduced(Picture picture, int reduce) {
        if (reduce == 1) return picture;
        int wide = Math.max(1, picture.width() / reduce);
        int high = Math.max(1, picture.height() / reduce);
        byte[] small = new byte[wide * high * 3];
        int[] sums = new int[3];
        for (int y = 0; y < high; y++) {
            for (int x = 0; x < wide; x++) {
                Arrays.fill(sums, 0);
                int count = 0;
                for (int yy = y * reduce; yy < Math.min(picture.height(), (y + 1) * reduce); yy++) {
                    for (int xx = x * reduce; xx < Math.min(picture.width(), (x + 1) * reduce); xx++, count++) {
                        for (int channel = 0; channel < 3; channel++) sums[channel] += picture.at(xx, yy, channel);
                    }
                }
                for (int channel = 0; channel < 3; channel++) {
                    small[(y * wide + x) * 3 + channel] = (byte) ((sums[channel] + count / 2) / count);
                }
            }
        }
        return new Picture(wide, high, small);
    }
}
