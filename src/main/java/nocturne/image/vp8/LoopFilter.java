package nocturne.image.vp8;

/// Smooths the edges of blocks once the whole picture is decoded.
///
/// Source: RFC 6386, section 15; thresholds doubled and halved as in its section 15.2.
final class LoopFilter {
    private LoopFilter() {}

    /// How one macroblock is filtered.
    ///
    /// @param level    0 to 63; 0 leaves it alone
    /// @param interior largest step between neighbours that is still smoothed
    /// @param inner    whether the edges between its sub-blocks are filtered too
    record Strength(int level, int interior, boolean inner) {
        /// @param sharpness 0 to 7
        static Strength of(int level, int sharpness, boolean inner) {
            int bounded = Math.clamp(level, 0, 63);
            int interior = bounded;
            if (sharpness > 0) interior = Math.min(interior >> (sharpness > 4 ? 2 : 1), 9 - sharpness);
            return new Strength(bounded, Math.max(1, interior), inner);
        }

        int edge() {
            return 2 * level + interior;
        }

        /// Above this step the picture has an edge of its own, and only the nearest samples are changed.
        int ownEdge() {
            return level >= 40 ? 2 : level >= 15 ? 1 : 0;
        }
    }

    /// The simple filter: luma only, two samples a side.
    static void simple(Plane luma, int column, int row, Strength strength) {
        int outer = 2 * (strength.edge() + 4) + 1;
        int inner = 2 * strength.edge() + 1;
        int start = luma.index(16 * column, 16 * row);
        if (column > 0) simpleEdge(luma, start, 1, luma.stride, outer);
        for (int i = 4; strength.inner() && i < 16; i += 4) simpleEdge(luma, start + i, 1, luma.stride, inner);
        if (row > 0) simpleEdge(luma, start, luma.stride, 1, outer);
        for (int i = 4; strength.inner() && i < 16; i += 4) {
            simpleEdge(luma, start + i * luma.stride, luma.stride, 1, inner);
        }
    }

    /// The normal filter, for a plane in which a macroblock is `size` samples wide.
    static void normal(Plane plane, int size, int column, int row, Strength strength) {
        int outer = 2 * (strength.edge() + 4) + 1;
        int inner = 2 * strength.edge() + 1;
        int start = plane.index(size * column, size * row);
        if (column > 0) edge(plane, start, 1, plane.stride, size, outer, strength, true);
        for (int i = 4; strength.inner() && i < size; i += 4) {
            edge(plane, start + i, 1, plane.stride, size, inner, strength, false);
        }
        if (row > 0) edge(plane, start, plane.stride, 1, size, outer, strength, true);
        for (int i = 4; strength.inner() && i < size; i += 4) {
            edge(plane, start + i * plane.stride, plane.stride, 1, size, inner, strength, false);
        }
    }

    /// @param across distance between samples on both sides of the edge
    /// @param along  distance between samples on the edge
    private static void simpleEdge(Plane plane, int start, int across, int along, int limit) {
        for (int i = 0; i < 16; i++) {
            int q = start + i * along;
            if (isSmall(plane, q, across, limit)) nearest(plane, q, across);
        }
    }

    private static void edge(Plane plane, int start, int across, int along, int length, int limit, Strength strength,
            boolean outer) {
        int ownEdge = strength.ownEdge();
        for (int i = 0; i < length; i++) {
            int q = start + i * along;
            if (!isSmall(plane, q, across, limit) || !isCalm(plane, q, across, strength.interior())) continue;
            boolean own = step(plane, q - 2 * across, q - across) > ownEdge || step(plane, q, q + across) > ownEdge;
            if (own) nearest(plane, q, across);
            else if (outer) wide(plane, q, across);
            else narrow(plane, q, across);
        }
    }

    private static int step(Plane plane, int one, int other) {
        return Math.abs(plane.at(one) - plane.at(other));
    }

    private static boolean isSmall(Plane plane, int q, int across, int limit) {
        return 4 * step(plane, q - across, q) + step(plane, q - 2 * across, q + across) <= limit;
    }

    private static boolean isCalm(Plane plane, int q, int across, int interior) {
        return step(plane, q - 4 * across, q - 3 * across) <= interior
                && step(plane, q - 3 * across, q - 2 * across) <= interior
                && step(plane, q - 2 * across, q - across) <= interior
                && step(plane, q + 3 * across, q + 2 * across) <= interior
                && step(plane, q + 2 * across, q + across) <= interior
                && step(plane, q + across, q) <= interior;
    }

    private static int signed(int value) {
        return Math.clamp(value, -128, 127);
    }

    private static int difference(Plane plane, int q, int across) {
        return 3 * (plane.at(q) - plane.at(q - across));
    }

    private static int outerDifference(Plane plane, int q, int across) {
        return signed(plane.at(q - 2 * across) - plane.at(q + across));
    }

    /// Changes one sample a side.
    private static void nearest(Plane plane, int q, int across) {
        int a = difference(plane, q, across) + outerDifference(plane, q, across);
        int p0 = plane.at(q - across) + (signed(a + 3) >> 3);
        plane.set(q, plane.at(q) - (signed(a + 4) >> 3));
        plane.set(q - across, p0);
    }

    /// Changes two samples a side: edges between sub-blocks.
    private static void narrow(Plane plane, int q, int across) {
        int a = difference(plane, q, across);
        int a1 = signed(a + 4) >> 3;
        int a2 = signed(a + 3) >> 3;
        int a3 = a1 + 1 >> 1;
        plane.set(q - 2 * across, plane.at(q - 2 * across) + a3);
        plane.set(q - across, plane.at(q - across) + a2);
        plane.set(q, plane.at(q) - a1);
        plane.set(q + across, plane.at(q + across) - a3);
    }

    /// Changes three samples a side: edges between macroblocks.
    private static void wide(Plane plane, int q, int across) {
        int a = signed(difference(plane, q, across) + outerDifference(plane, q, across));
        for (int i = 0, weight = 27; i < 3; i++, weight -= 9) {
            int change = weight * a + 63 >> 7;
            plane.set(q - (i + 1) * across, plane.at(q - (i + 1) * across) + change);
            plane.set(q + i * across, plane.at(q + i * across) - change);
        }
    }
}
