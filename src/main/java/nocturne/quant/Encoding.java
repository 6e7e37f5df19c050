package nocturne.quant;

import nocturne.io.DType;

/// How a row of weights becomes codes and scales, and how it comes back.
///
/// The arithmetic is that of the reference libraries, one rounded operation after the other (see [Rounding]); below,
/// `G(x)` is a result rounded to the weights' type. Encodings have no state. Unless one says otherwise, a code is a
/// byte, and a row has one scale.
sealed interface Encoding permits Float8Rows, Int8Rows, BitGroups {
    /// Scales are at least this where the reference guards them: fp32's machine epsilon, which bf16 has too.
    float LEAST_SCALE = 0x1p-23f;

    /// What one element of the stored codes is: a code, or a byte of packed ones.
    DType dtype();

    /// Whether rows of this width can be kept so. Those that cannot stay as they are.
    default boolean fits(int columns) {
        return true;
    }

    /// How many scales a row has.
    default int groups(int columns) {
        return 1;
    }

    default boolean hasZeroPoints() {
        return false;
    }

    /// The largest magnitude that a code can have, less its zero point.
    float most();

    /// Bytes that the stored codes of a matrix take.
    default long codeBytes(int rows, int columns) {
        return (long) rows * columns;
    }

    /// Encodes one row.
    ///
    /// @param row the weights; used up
    void encode(float[] row, Rounding rounding, RowCodes into);

    /// What the codes of a row mean.
    void decode(RowCodes from, Rounding rounding, float[] row);
}
