package nocturne.image.vp8;

import java.util.Arrays;

/// What prediction missed: coefficients read from the stream and turned back into differences.
///
/// Source: RFC 6386, sections 13 and 14.
final class Residual {
    private static final int LUMA_AFTER_SECOND_ORDER = 0;
    private static final int SECOND_ORDER = 1;
    private static final int CHROMA = 2;
    private static final int LUMA_WHOLE = 3;

    private static final int COSINE = 20091 + (1 << 16);
    private static final int SINE = 35468;

    /// Dequantized coefficients of one macroblock: 16 luma sub-blocks, 4 of U, 4 of V, 16 values each.
    final int[] coefficients = new int[24 * 16];

    private final int[] probabilities;
    private final int[] second = new int[16];
    /// Whether the neighbouring sub-blocks had tokens: per column of sub-blocks (4 Y, 2 U, 2 V, 1 second order).
    private final boolean[] above;
    private final boolean[] left = new boolean[9];

    /// @param dc and the others: step sizes of one segment
    record Steps(int dc, int ac, int secondDc, int secondAc, int chromaDc, int chromaAc) {
        static Steps of(int base, int[] changes) {
            return new Steps(
                    dc(base + changes[0]),
                    ac(base),
                    2 * dc(base + changes[1]),
                    Math.max(8, ac(base + changes[2]) * 155 / 100),
                    Math.min(132, dc(base + changes[3])),
                    ac(base + changes[4]));
        }

        private static int dc(int index) {
            return Tables.DC_STEPS[Math.clamp(index, 0, 127)];
        }

        private static int ac(int index) {
            return Tables.AC_STEPS[Math.clamp(index, 0, 127)];
        }
    }

    Residual(int[] probabilities, int columns) {
        this.probabilities = probabilities;
        this.above = new boolean[9 * columns];
    }

    void startRow() {
        Arrays.fill(left, false);
    }

    /// A macroblock that the stream says is empty.
    void skip(int column, boolean hasSecondOrder) {
        int count = hasSecondOrder ? 9 : 8;
        Arrays.fill(left, 0, count, false);
        Arrays.fill(above, 9 * column, 9 * column + count, false);
    }

    /// Reads the coefficients of one macroblock.
    ///
    /// @return whether any of them is there
    boolean read(BoolReader in, int column, boolean hasSecondOrder, Steps steps) {
        Arrays.fill(coefficients, 0);
        int type = LUMA_WHOLE;
        boolean any = false;
        if (hasSecondOrder) {
            Arrays.fill(second, 0);
            tokens(in, column, 8, 8, SECOND_ORDER, second, 0, steps.secondDc(), steps.secondAc());
            spreadSecondOrder();
            for (int block = 0; block < 16; block++) any |= coefficients[block * 16] != 0;
            type = LUMA_AFTER_SECOND_ORDER;
        }
        for (int i = 0; i < 16; i++) {
            any |= tokens(in, column, i % 4, i / 4, type, coefficients, i * 16, steps.dc(), steps.ac());
        }
        for (int i = 0; i < 8; i++) {
            int plane = 4 + i / 4 * 2;
            any |= tokens(in, column, plane + i % 2, plane + i % 4 / 2, CHROMA, coefficients, (16 + i) * 16,
                    steps.chromaDc(), steps.chromaAc());
        }
        return any;
    }

    private boolean tokens(BoolReader in, int column, int aboveSlot, int leftSlot, int type, int[] target, int at,
            int dc, int ac) {
        int first = type == LUMA_AFTER_SECOND_ORDER ? 1 : 0;
        int context = (above[9 * column + aboveSlot] ? 1 : 0) + (left[leftSlot] ? 1 : 0);
        boolean some = block(in, type, context, first, target, at, dc, ac) > first;
        above[9 * column + aboveSlot] = some;
        left[leftSlot] = some;
        return some;
    }

    /// @return one past the position of the last token
    private int block(BoolReader in, int type, int context, int first, int[] target, int at, int dc, int ac) {
        int p = offset(type, first, context);
        for (int n = first; n < 16; ) {
            if (!in.bool(probabilities[p])) return n;
            while (!in.bool(probabilities[p + 1])) {
                if (++n == 16) return 16;
                p = offset(type, n, 0);
            }
            int magnitude = magnitude(in, p);
            int value = in.flag() ? -magnitude : magnitude;
            target[at + Tables.ZIGZAG[n]] = value * (n == 0 ? dc : ac);
            p = offset(type, ++n, magnitude == 1 ? 1 : 2);
        }
        return 16;
    }

    private int magnitude(BoolReader in, int p) {
        if (!in.bool(probabilities[p + 2])) return 1;
        if (!in.bool(probabilities[p + 3])) {
            if (!in.bool(probabilities[p + 4])) return 2;
            return in.bool(probabilities[p + 5]) ? 4 : 3;
        }
        if (!in.bool(probabilities[p + 6])) {
            if (!in.bool(probabilities[p + 7])) return in.bool(159) ? 6 : 5;
            int high = in.bool(165) ? 2 : 0;
            return 7 + high + (in.bool(145) ? 1 : 0);
        }
        int high = in.bool(probabilities[p + 8]) ? 1 : 0;
        int category = 2 * high + (in.bool(probabilities[p + 9 + high]) ? 1 : 0);
        int extra = 0;
        for (int probability : Tables.EXTRA_BITS[category]) extra = 2 * extra + (in.bool(probability) ? 1 : 0);
        return 3 + (8 << category) + extra;
    }

    private static int offset(int type, int position, int context) {
        return ((type * Tables.BAND_COUNT + Tables.BANDS[position]) * Tables.CONTEXTS + context)
                * Tables.TOKEN_PROBABILITIES;
    }

    /// The inverse Walsh-Hadamard transform of 14.3: the first coefficients of the 16 luma sub-blocks.
    private void spreadSecondOrder() {
        int[] t = new int[16];
        for (int i = 0; i < 4; i++) {
            int a = second[i] + second[12 + i];
            int b = second[4 + i] + second[8 + i];
            int c = second[4 + i] - second[8 + i];
            int d = second[i] - second[12 + i];
            t[i] = a + b;
            t[4 + i] = c + d;
            t[8 + i] = a - b;
            t[12 + i] = d - c;
        }
        for (int i = 0; i < 4; i++) {
            int a = t[4 * i] + t[4 * i + 3];
            int b = t[4 * i + 1] + t[4 * i + 2];
            int c = t[4 * i + 1] - t[4 * i + 2];
            int d = t[4 * i] - t[4 * i + 3];
            coefficients[64 * i] = a + b + 3 >> 3;
            coefficients[64 * i + 16] = c + d + 3 >> 3;
            coefficients[64 * i + 32] = a - b + 3 >> 3;
            coefficients[64 * i + 48] = d - c + 3 >> 3;
        }
    }

    /// Adds the inverse cosine transform of 14.4 to a predicted sub-block.
    ///
    /// @param block 0 to 23
    void addTo(Plane plane, int x, int y, int block) {
        int from = block * 16;
        int[] t = new int[16];
        for (int i = 0; i < 4; i++) {
            int a = coefficients[from + i] + coefficients[from + 8 + i];
            int b = coefficients[from + i] - coefficients[from + 8 + i];
            int c = times(coefficients[from + 4 + i], SINE) - times(coefficients[from + 12 + i], COSINE);
            int d = times(coefficients[from + 4 + i], COSINE) + times(coefficients[from + 12 + i], SINE);
            t[4 * i] = a + d;
            t[4 * i + 1] = b + c;
            t[4 * i + 2] = b - c;
            t[4 * i + 3] = a - d;
        }
        for (int row = 0; row < 4; row++) {
            int a = t[row] + t[8 + row] + 4;
            int b = t[row] - t[8 + row] + 4;
            int c = times(t[4 + row], SINE) - times(t[12 + row], COSINE);
            int d = times(t[4 + row], COSINE) + times(t[12 + row], SINE);
            int to = plane.index(x, y + row);
            plane.set(to, plane.at(to) + (a + d >> 3));
            plane.set(to + 1, plane.at(to + 1) + (b + c >> 3));
            plane.set(to + 2, plane.at(to + 2) + (b - c >> 3));
            plane.set(to + 3, plane.at(to + 3) + (a - d >> 3));
        }
    }

    private static int times(int value, int factor) {
        return (int) ((long) value * factor >> 16);
    }
}
