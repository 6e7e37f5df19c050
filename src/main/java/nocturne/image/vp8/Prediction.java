package nocturne.image.vp8;

import java.util.Arrays;

/// Guesses a block from the row above it and the column on its left.
///
/// Source: RFC 6386, sections 12.2 and 12.3.
final class Prediction {
    private Prediction() {}

    /// A square of one prediction: 16 for luma, 8 for chroma.
    ///
    /// @param hasAbove whether the row above belongs to the picture; only the mean cares
    static void block(Plane plane, int x, int y, int size, int mode, boolean hasAbove, boolean hasLeft) {
        int start = plane.index(x, y);
        switch (mode) {
            case Tables.DC -> fill(plane, start, size, mean(plane, start, size, hasAbove, hasLeft));
            case Tables.VERTICAL -> {
                for (int row = 0; row < size; row++) {
                    int to = start + row * plane.stride;
                    System.arraycopy(plane.samples, start - plane.stride, plane.samples, to, size);
                }
            }
            case Tables.HORIZONTAL -> {
                for (int row = 0; row < size; row++) {
                    int from = start + row * plane.stride;
                    Arrays.fill(plane.samples, from, from + size, plane.samples[from - 1]);
                }
            }
            case Tables.TRUE_MOTION -> trueMotion(plane, start, size);
            default -> throw new IllegalStateException("mode " + mode);
        }
    }

    private static int mean(Plane plane, int start, int size, boolean hasAbove, boolean hasLeft) {
        if (!hasAbove && !hasLeft) return 128;
        int sum = 0;
        for (int i = 0; i < size; i++) {
            if (hasAbove) sum += plane.at(start - plane.stride + i);
            if (hasLeft) sum += plane.at(start + i * plane.stride - 1);
        }
        int count = hasAbove && hasLeft ? 2 * size : size;
        return (sum + count / 2) / count;
    }

    private static void fill(Plane plane, int start, int size, int value) {
        for (int row = 0; row < size; row++) {
            int from = start + row * plane.stride;
            Arrays.fill(plane.samples, from, from + size, (byte) value);
        }
    }

    private static void trueMotion(Plane plane, int start, int size) {
        int corner = plane.at(start - plane.stride - 1);
        for (int row = 0; row < size; row++) {
            int from = start + row * plane.stride;
            int change = plane.at(from - 1) - corner;
            for (int i = 0; i < size; i++) plane.set(from + i, plane.at(start - plane.stride + i) + change);
        }
    }

    /// A sub-block of 4 x 4.
    ///
    /// @param aboveRight the four samples that follow the row above; below the first row of a macroblock they are not
    ///                   the neighbours but those of its first row
    static void subBlock(Plane plane, int x, int y, int mode, int[] aboveRight) {
        int start = plane.index(x, y);
        int stride = plane.stride;
        // The edge from bottom left over the corner to above right: L3 L2 L1 L0 P A0 .. A7, as in the RFC's figure.
        int[] e = new int[13];
        for (int i = 0; i < 4; i++) {
            e[3 - i] = plane.at(start + i * stride - 1);
            e[5 + i] = plane.at(start - stride + i);
            e[9 + i] = aboveRight[i];
        }
        e[4] = plane.at(start - stride - 1);
        switch (mode) {
            case Tables.B_DC -> {
                int sum = 4;
                for (int i = 0; i < 4; i++) sum += e[i] + e[5 + i];
                fill(plane, start, 4, sum >> 3);
            }
            case Tables.B_TRUE_MOTION -> trueMotion(plane, start, 4);
            case Tables.B_VERTICAL -> {
                for (int i = 0; i < 16; i++) put(plane, start, i, three(e, 5 + i % 4));
            }
            case Tables.B_HORIZONTAL -> {
                for (int i = 0; i < 16; i++) {
                    int row = i / 4;
                    put(plane, start, i, row < 3 ? three(e, 3 - row) : (e[1] + 3 * e[0] + 2) >> 2);
                }
            }
            case Tables.B_LEFT_DOWN -> {
                for (int i = 0; i < 16; i++) {
                    int d = i / 4 + i % 4;
                    put(plane, start, i, d < 6 ? three(e, 6 + d) : (e[11] + 3 * e[12] + 2) >> 2);
                }
            }
            case Tables.B_RIGHT_DOWN -> {
                for (int i = 0; i < 16; i++) put(plane, start, i, three(e, 4 - i / 4 + i % 4));
            }
            case Tables.B_VERTICAL_RIGHT, Tables.B_VERTICAL_LEFT, Tables.B_HORIZONTAL_DOWN, Tables.B_HORIZONTAL_UP -> {
                for (int i = 0; i < 16; i++) put(plane, start, i, oblique(e, mode, i / 4, i % 4));
            }
            default -> throw new IllegalStateException("mode " + mode);
        }
    }

    /// The four directions between the diagonals: every second step lies between two samples of the edge.
    private static int oblique(int[] e, int mode, int row, int column) {
        switch (mode) {
            case Tables.B_VERTICAL_RIGHT -> {
                int d = 2 * column - row;
                if (d < -1) return three(e, 4 + d + 1);
                if (d == -1) return three(e, 4);
                return (d & 1) == 0 ? two(e, 4 + d / 2) : three(e, 4 + (d + 1) / 2);
            }
            case Tables.B_VERTICAL_LEFT -> {
                // The two samples at the lower right leave the pattern.
                if (column == 3 && row >= 2) return three(e, row == 2 ? 10 : 11);
                int first = 5 + column + row / 2;
                return (row & 1) == 0 ? two(e, first) : three(e, first + 1);
            }
            case Tables.B_HORIZONTAL_DOWN -> {
                int d = 2 * row - column;
                if (d < -1) return three(e, 4 - d - 1);
                if (d == -1) return three(e, 4);
                return (d & 1) == 0 ? two(e, 3 - d / 2) : three(e, 4 - (d + 1) / 2);
            }
            case Tables.B_HORIZONTAL_UP -> {
                int d = 2 * row + column;
                if (d > 5) return e[0];
                if (d == 5) return (e[1] + 3 * e[0] + 2) >> 2;
                return (d & 1) == 0 ? two(e, 2 - d / 2) : three(e, 2 - d / 2);
            }
            default -> throw new IllegalStateException("mode " + mode);
        }
    }

    private static void put(Plane plane, int start, int i, int value) {
        plane.samples[start + i / 4 * plane.stride + i % 4] = (byte) value;
    }

    private static int two(int[] e, int first) {
        return (e[first] + e[first + 1] + 1) >> 1;
    }

    private static int three(int[] e, int middle) {
        return (e[middle - 1] + 2 * e[middle] + e[middle + 1] + 2) >> 2;
    }
}
