package nocturne.image.jpeg;

/// The order in which a file holds the 64 frequencies of a block: figure A.6.
final class ZigZag {
    private static final int[] NATURAL = {
        0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
        12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
        35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
        58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

    private ZigZag() {}

    /// Row times 8 plus column of the frequency at place `k` of the file's order.
    static int natural(int k) {
        return NATURAL[k];
    }

    /// Where place `k` lies in a block of `side` x `side` of the lowest frequencies; -1 where it is not among them.
    static int[] places(int side) {
        int[] places = new int[64];
        for (int k = 0; k < 64; k++) {
            int row = NATURAL[k] >> 3;
            int column = NATURAL[k] & 7;
            places[k] = row < side && column < side ? row * side + column : -1;
        }
        return places;
    }

    /// The first place behind the last that such a block needs.
    static int behindLast(int side) {
        int[] places = places(side);
        int k = 64;
        while (places[k - 1] < 0) k--;
        return k;
    }
}
