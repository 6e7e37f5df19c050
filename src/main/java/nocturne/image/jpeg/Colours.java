package nocturne.image.jpeg;

import java.util.List;
import nocturne.image.Picture;

/// From the planes of a file's colours to red, green and blue.
final class Colours {
    private static final int FRACTION = 16;

    private Colours() {}

    /// @param adobe what the file's Adobe segment says of its colours: 0 as they are, 1 or 2 luma and chroma; -1 for
    ///              no such segment
    static Picture picture(Frame frame, List<Component> components, int adobe) {
        int width = frame.smallWidth();
        int height = frame.smallHeight();
        List<Plane> planes = components.stream().map(Plane::of).toList();
        boolean four = planes.size() == 4;
        boolean luma = planes.size() == 3 ? adobe == -1 ? !namedRgb(components) : adobe != 0 : adobe == 2;
        int[][] columns = new int[planes.size()][width];
        for (int i = 0; i < planes.size(); i++) {
            for (int x = 0; x < width; x++) columns[i][x] = x * components.get(i).across / frame.mostAcross();
        }
        byte[] rgb = new byte[3 * width * height];
        int[][] rows = new int[planes.size()][width];
        for (int y = 0; y < height; y++) {
            for (int i = 0; i < rows.length; i++) {
                byte[] samples = planes.get(i).samples();
                int from = y * components.get(i).down / frame.mostDown() * planes.get(i).width();
                for (int x = 0; x < width; x++) rows[i][x] = samples[from + columns[i][x]] & 0xff;
            }
            if (luma) fromLuma(rows[0], rows[1], rows[2]);
            for (int c = 0, to = y * width * 3; c < 3; c++) {
                int[] row = rows[rows.length == 1 ? 0 : c];
                for (int x = 0; x < width; x++) {
                    // Adobe's four colours are stored inverted: 255 is no ink.
                    rgb[to + 3 * x + c] = (byte) (four ? row[x] * rows[3][x] / 255 : row[x]);
                }
            }
        }
        return new Picture(width, height, rgb);
    }

    private static boolean namedRgb(List<Component> components) {
        return components.get(0).id == 'R' && components.get(1).id == 'G' && components.get(2).id == 'B';
    }

    /// `R = Y + 1.402 (Cr - 128)`, `G = Y - 0.344136 (Cb - 128) - 0.714136 (Cr - 128)`, `B = Y + 1.772 (Cb - 128)`:
    /// JFIF 1.02, page 3.
    private static void fromLuma(int[] first, int[] second, int[] third) {
        for (int x = 0; x < first.length; x++) {
            int y = (first[x] << FRACTION) + (1 << FRACTION - 1);
            int blue = second[x] - 128;
            int red = third[x] - 128;
            first[x] = Math.clamp(y + 91_881 * red >> FRACTION, 0, 255);
            second[x] = Math.clamp(y - 22_554 * blue - 46_802 * red >> FRACTION, 0, 255);
            third[x] = Math.clamp(y + 116_130 * blue >> FRACTION, 0, 255);
        }
    }
}
