package nocturne.quant;

/// One row of a matrix in a format, unpacked: working memory of one thread.
///
/// @param codes      one for each column
/// @param scales     one for each group of columns; one alone for formats that scale rows
/// @param zeroPoints the code that means 0, for each group; empty for formats that have none
record RowCodes(byte[] codes, float[] scales, byte[] zeroPoints) {
    static RowCodes of(Encoding encoding, int columns) {
        int groups = encoding.groups(columns);
        return new RowCodes(new byte[columns], new float[groups], new byte[encoding.hasZeroPoints() ? groups : 0]);
    }

    /// Whether all numbers that the codes could mean are finite. A weight that was not shows in its scale.
    boolean isFinite(Encoding encoding, Rounding rounding) {
        for (float scale : scales) if (!Float.isFinite(rounding.of(scale * encoding.most()))) return false;
        return true;
    }
}
