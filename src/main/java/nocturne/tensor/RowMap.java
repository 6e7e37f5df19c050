package nocturne.tensor;

/// Which modulation row belongs to which token row.
///
/// Tokens are `[batch, rows]`. Token `i` of sample `b` takes modulation row `b` where `i < split`, else row
/// `tailRow`: the control tokens of a `zero_cond_t` model share one row that was made for noise level 0.
///
/// @param batch   samples
/// @param rows    tokens in each sample
/// @param split   tokens at the front of each sample that take the sample's own row; equal to `rows` where all do
/// @param tailRow modulation row of the others; unused where `split == rows`
public record RowMap(int batch, int rows, int split, int tailRow) {
    public RowMap {
        if (split < 0 || split > rows) throw new IllegalArgumentException("split " + split + " of " + rows);
    }

    /// Every token of sample `b` takes row `b`.
    public static RowMap perSample(int batch, int rows) {
        return new RowMap(batch, rows, rows, -1);
    }

    public int modulationRow(int sample, int token) {
        return token < split ? sample : tailRow;
    }
}
