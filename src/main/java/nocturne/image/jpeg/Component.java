package nocturne.image.jpeg;

/// One colour of a picture: how it is sampled, and the coefficients of its blocks that the smaller size needs.
///
/// Blocks lie in rows of [#stride]; there are as many as whole units of the interleaved order need, so some lie outside
/// the picture.
final class Component {
    final int id;
    /// Sampling factors, 1 to 4.
    final int across;
    final int down;
    /// Blocks that hold pixels of the picture, for scans of this component alone.
    final int blocksWide;
    final int blocksHigh;
    /// Blocks in a row, those of whole units included.
    final int stride;
    final int rows;
    /// Side of a block in the smaller picture: 1, 2, 4 or 8.
    final int side;
    /// `[rows, stride, side, side]`, frequencies as stored in the file.
    final short[] coefficients;
    private final int quantisation;
    /// Which of a block's 64 coefficients are not 0 so far, by position in the file; empty where nobody asks.
    private long[] known = {};
    /// Factors of the frequencies, in natural order; null until the first scan, when the file's table is taken.
    private int[] factors = {};
    /// The last block's lowest coefficient, which the next one's is the difference to.
    int predicted;

    Component(int id, int across, int down, int quantisation, Frame frame) {
        this.id = id;
        this.across = across;
        this.down = down;
        this.quantisation = quantisation;
        this.side = frame.side();
        blocksWide = Math.ceilDiv(Math.ceilDiv(frame.width() * across, frame.mostAcross()), 8);
        blocksHigh = Math.ceilDiv(Math.ceilDiv(frame.height() * down, frame.mostDown()), 8);
        stride = frame.unitsWide() * across;
        rows = frame.unitsHigh() * down;
        coefficients = new short[Math.multiplyExact(Math.multiplyExact(rows, stride), side * side)];
    }

    /// Takes the table that holds when the component's first scan begins; a later one of the same number is not its.
    void latch(int[][] tables) throws DoubtfulJpeg {
        if (factors.length != 0) return;
        if (tables[quantisation].length == 0) throw new DoubtfulJpeg("lacks a quantisation table");
        factors = tables[quantisation];
    }

    int[] factors() {
        return factors;
    }

    long[] known() {
        if (known.length == 0) known = new long[rows * stride];
        return known;
    }
}
