package nocturne.image.vp8;

import java.util.ArrayList;
import java.util.List;

/// Decodes one VP8 key frame: the content of a WebP's `VP8 ` chunk.
///
/// Source: RFC 6386, sections 9 (headers), 11 (modes), 13 to 15. Everything is predicted first and filtered last, over
/// the whole picture, because predictions look at unfiltered neighbours.
public final class Vp8 {
    private static final int FRAME_HEADER_BYTES = 10;
    private static final int SEGMENTS = 4;

    private final byte[] bytes;
    private final int end;
    private final int columns;
    private final int rows;
    private final Plane y;
    private final Plane u;
    private final Plane v;

    private final int[] segmentProbabilities = {255, 255, 255};
    private final int[] segmentQuantizer = new int[SEGMENTS];
    private final int[] segmentLevel = new int[SEGMENTS];
    private final int[] tokenProbabilities = Tables.TOKENS.clone();
    private final Residual.Steps[] steps = new Residual.Steps[SEGMENTS];
    private boolean segmented;
    private boolean segmentMap;
    private boolean segmentAbsolute;
    private boolean simpleFilter;
    private int filterLevel;
    private int sharpness;
    private int wholeDelta;
    private int splitDelta;

    private Vp8(byte[] bytes, int end, int width, int height) {
        this.bytes = bytes;
        this.end = end;
        columns = (width + 15) / 16;
        rows = (height + 15) / 16;
        y = new Plane(16 * columns, 16 * rows);
        u = new Plane(8 * columns, 8 * rows);
        v = new Plane(8 * columns, 8 * rows);
    }

    /// @param from   first byte of the frame
    /// @param end    one past its last byte
    /// @param width  as the caller read it from the frame's header and found acceptable
    /// @param height the same
    /// @return `[height, width, 3]`, 8 bits a channel
    public static byte[] decode(byte[] bytes, int from, int end, int width, int height) throws BrokenVp8 {
        if (from < 0 || end > bytes.length || end - from < FRAME_HEADER_BYTES) throw new BrokenVp8("it is too short");
        int tag = byteAt(bytes, from) | byteAt(bytes, from + 1) << 8 | byteAt(bytes, from + 2) << 16;
        boolean startCode = bytes[from + 3] == (byte) 0x9d && bytes[from + 4] == 0x01 && bytes[from + 5] == 0x2a;
        if ((tag & 1) != 0 || !startCode) throw new BrokenVp8("it does not begin with a key frame");
        int first = from + FRAME_HEADER_BYTES;
        int firstEnd = first + (tag >> 5);
        if (firstEnd > end) throw new BrokenVp8("it ends too early");
        Vp8 frame = new Vp8(bytes, end, width, height);
        frame.decode(new BoolReader(bytes, first, firstEnd), firstEnd);
        return ToRgb.convert(frame.y, frame.u, frame.v, width, height);
    }

    private void decode(BoolReader in, int firstEnd) throws BrokenVp8 {
        in.literal(2);  // Colour space and clamping, which no decoder heeds.
        segments(in);
        filterHeader(in);
        List<BoolReader> partitions = partitions(1 << in.literal(2), firstEnd);
        quantizers(in);
        in.flag();  // Whether the next frame keeps these probabilities: there is none.
        for (int i = 0; i < tokenProbabilities.length; i++) {
            if (in.bool(Tables.UPDATES[i])) tokenProbabilities[i] = in.literal(8);
        }
        boolean maySkip = in.flag();
        int skipProbability = maySkip ? in.literal(8) : 0;

        Modes modes = new Modes(columns);
        Residual residual = new Residual(tokenProbabilities, columns);
        LoopFilter.Strength[] strengths = new LoopFilter.Strength[columns * rows];
        for (int row = 0; row < rows; row++) {
            BoolReader tokens = partitions.get(row % partitions.size());
            modes.startRow();
            residual.startRow();
            for (int column = 0; column < columns; column++) {
                int segment = segmentMap ? in.tree(Tables.SEGMENT_TREE, segmentProbabilities, 0) : 0;
                boolean skipped = maySkip && in.bool(skipProbability);
                modes.read(in, column);
                boolean split = modes.isSplit();
                boolean some = false;
                if (skipped) residual.skip(column, !split);
                else some = residual.read(tokens, column, !split, steps[segment]);
                reconstruct(modes, residual, column, row, some);
                strengths[row * columns + column] = strength(segment, split, some);
            }
            if (in.isExhausted() || tokens.isExhausted()) throw new BrokenVp8("it ends too early");
        }
        if (filterLevel > 0) filter(strengths);
    }

    private void segments(BoolReader in) {
        segmented = in.flag();
        if (!segmented) return;
        segmentMap = in.flag();
        if (in.flag()) {
            segmentAbsolute = in.flag();
            for (int i = 0; i < SEGMENTS; i++) segmentQuantizer[i] = in.optional(7);
            for (int i = 0; i < SEGMENTS; i++) segmentLevel[i] = in.optional(6);
        }
        if (!segmentMap) return;
        for (int i = 0; i < segmentProbabilities.length; i++) segmentProbabilities[i] = in.flag() ? in.literal(8) : 255;
    }

    private void filterHeader(BoolReader in) {
        simpleFilter = in.flag();
        filterLevel = in.literal(6);
        sharpness = in.literal(3);
        boolean hasDeltas = in.flag();
        boolean changesDeltas = hasDeltas && in.flag();
        if (!changesDeltas) return;
        // Of four deltas by reference frame and four by mode, those of key frames and of split blocks matter here.
        for (int i = 0; i < 8; i++) {
            int delta = in.optional(6);
            if (i == 0) wholeDelta = delta;
            if (i == 4) splitDelta = delta;
        }
    }

    private List<BoolReader> partitions(int count, int sizes) throws BrokenVp8 {
        int start = sizes + 3 * (count - 1);
        if (start > end) throw new BrokenVp8("it ends too early");
        List<BoolReader> partitions = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int at = sizes + 3 * i;
            int size = i == count - 1
                    ? end - start
                    : byteAt(bytes, at) | byteAt(bytes, at + 1) << 8 | byteAt(bytes, at + 2) << 16;
            if (size > end - start) throw new BrokenVp8("it ends too early");
            partitions.add(new BoolReader(bytes, start, start + size));
            start += size;
        }
        return partitions;
    }

    private void quantizers(BoolReader in) {
        int base = in.literal(7);
        int[] changes = new int[5];
        for (int i = 0; i < changes.length; i++) changes[i] = in.optional(4);
        for (int i = 0; i < SEGMENTS; i++) {
            int index = !segmented ? base : segmentAbsolute ? segmentQuantizer[i] : base + segmentQuantizer[i];
            steps[i] = Residual.Steps.of(index, changes);
        }
    }

    private LoopFilter.Strength strength(int segment, boolean split, boolean some) {
        int level = !segmented ? filterLevel
                : segmentAbsolute ? segmentLevel[segment] : filterLevel + segmentLevel[segment];
        return LoopFilter.Strength.of(level + wholeDelta + (split ? splitDelta : 0), sharpness, split || some);
    }

    private void reconstruct(Modes modes, Residual residual, int column, int row, boolean some) {
        int x = 16 * column;
        int top = 16 * row;
        if (modes.isSplit()) {
            int[] aboveRight = aboveRight(column, row);
            int[] next = new int[4];
            for (int i = 0; i < 16; i++) {
                int bx = x + i % 4 * 4;
                int by = top + i / 4 * 4;
                boolean ownNeighbours = i % 4 < 3;
                for (int k = 0; k < 4; k++) {
                    next[k] = ownNeighbours ? y.at(y.index(bx + 4 + k, by - 1)) : aboveRight[k];
                }
                Prediction.subBlock(y, bx, by, modes.subBlock(i), next);
                if (some) residual.addTo(y, bx, by, i);
            }
        } else {
            Prediction.block(y, x, top, 16, modes.luma(), row > 0, column > 0);
            for (int i = 0; some && i < 16; i++) residual.addTo(y, x + i % 4 * 4, top + i / 4 * 4, i);
        }
        colour(u, 16, modes, residual, column, row, some);
        colour(v, 20, modes, residual, column, row, some);
    }

    private static void colour(
            Plane plane, int block, Modes modes, Residual residual, int column, int row, boolean some) {
        Prediction.block(plane, 8 * column, 8 * row, 8, modes.chroma(), row > 0, column > 0);
        for (int i = 0; some && i < 4; i++) {
            residual.addTo(plane, 8 * column + i % 2 * 4, 8 * row + i / 2 * 4, block + i);
        }
    }

    /// The four samples above and to the right of a macroblock; the last one above it stands in at the right border.
    private int[] aboveRight(int column, int row) {
        int[] samples = new int[4];
        for (int k = 0; k < 4; k++) {
            int x = Math.min(16 * column + 16 + k, 16 * columns - 1);
            samples[k] = row == 0 ? Plane.ABOVE : y.at(y.index(x, 16 * row - 1));
        }
        return samples;
    }

    private void filter(LoopFilter.Strength[] strengths) {
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                LoopFilter.Strength strength = strengths[row * columns + column];
                if (strength.level() == 0) continue;
                if (simpleFilter) {
                    LoopFilter.simple(y, column, row, strength);
                } else {
                    LoopFilter.normal(y, 16, column, row, strength);
                    LoopFilter.normal(u, 8, column, row, strength);
                    LoopFilter.normal(v, 8, column, row, strength);
                }
            }
        }
    }

    private static int byteAt(byte[] bytes, int index) {
        return bytes[index] & 0xff;
    }
}
