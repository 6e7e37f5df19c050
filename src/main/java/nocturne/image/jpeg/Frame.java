package nocturne.image.jpeg;

import java.util.ArrayList;
import java.util.List;

/// What a `SOF` segment says.
///
/// @param side        of a block in the smaller picture, 1, 2, 4 or 8 for an eighth, a quarter, half and the whole size
/// @param mostAcross  highest horizontal sampling factor
/// @param mostDown    highest vertical sampling factor
record Frame(boolean progressive, int width, int height, int side, int mostAcross, int mostDown) {
    private static final int BASELINE = 0xc0;
    private static final int EXTENDED = 0xc1;
    private static final int PROGRESSIVE = 0xc2;

    /// @param at where the segment's content begins, behind its length
    static Frame read(byte[] file, int marker, int at, int end, int side) throws DoubtfulJpeg {
        if (marker != BASELINE && marker != EXTENDED && marker != PROGRESSIVE) {
            throw new DoubtfulJpeg("is of a kind that is rarely used");
        }
        int count = end - at >= 6 ? file[at + 5] : 0;
        if (file[at] != 8 || count < 1 || count > 4 || count == 2 || end - at < 6 + 3 * count) {
            throw new DoubtfulJpeg("has other colours than the usual");
        }
        int height = (file[at + 1] & 0xff) << 8 | file[at + 2] & 0xff;
        int width = (file[at + 3] & 0xff) << 8 | file[at + 4] & 0xff;
        int mostAcross = 1;
        int mostDown = 1;
        for (int i = 0; i < count; i++) {
            int sampling = file[at + 7 + 3 * i] & 0xff;
            int across = sampling >> 4;
            int down = sampling & 15;
            if (across < 1 || across > 4 || down < 1 || down > 4) throw new DoubtfulJpeg("samples in an odd way");
            mostAcross = Math.max(mostAcross, across);
            mostDown = Math.max(mostDown, down);
        }
        if (width == 0 || height == 0) throw new DoubtfulJpeg("does not state its size");
        return new Frame(marker == PROGRESSIVE, width, height, side, mostAcross, mostDown);
    }

    List<Component> components(byte[] file, int at) throws DoubtfulJpeg {
        List<Component> components = new ArrayList<>();
        int count = file[at + 5];
        for (int i = 0; i < count; i++) {
            int from = at + 6 + 3 * i;
            int sampling = file[from + 1] & 0xff;
            int table = file[from + 2];
            if (table < 0 || table > 3) throw new DoubtfulJpeg("names a table that cannot be");
            components.add(new Component(file[from] & 0xff, sampling >> 4, sampling & 15, table, this));
        }
        return components;
    }

    /// Units of the interleaved order in a row.
    int unitsWide() {
        return Math.ceilDiv(width, 8 * mostAcross);
    }

    int unitsHigh() {
        return Math.ceilDiv(height, 8 * mostDown);
    }

    /// Width of the smaller picture in pixels.
    int smallWidth() {
        return Math.ceilDiv(width * side, 8);
    }

    int smallHeight() {
        return Math.ceilDiv(height * side, 8);
    }
}
