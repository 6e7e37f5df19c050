package nocturne.quant;

import nocturne.io.DType;
import nocturne.io.HalfPrecision;

/// 8-bit floats with 4 exponent and 3 mantissa bits, and one scale a row.
///
/// `code = e4m3(clamp(w / scale, -448, 448))`, to the nearest, ties to even; `w = G(decoded * scale)`.
record Float8Rows(RowScaling scaling) implements Encoding {
    @Override
    public DType dtype() {
        return DType.F8_E4M3;
    }

    @Override
    public float most() {
        return HalfPrecision.E4M3_MAX;
    }

    @Override
    public void encode(float[] row, Rounding rounding, RowCodes into) {
        float scale = scaling.scale(row, HalfPrecision.E4M3_MAX, rounding);
        scaling.divide(row, scale, rounding);
        into.scales()[0] = scale;
        byte[] codes = into.codes();
        for (int i = 0; i < row.length; i++) codes[i] = HalfPrecision.toE4m3(row[i]);
    }

    @Override
    public void decode(RowCodes from, Rounding rounding, float[] row) {
        float scale = from.scales()[0];
        byte[] codes = from.codes();
        for (int i = 0; i < row.length; i++) row[i] = rounding.of(HalfPrecision.fromE4m3(codes[i]) * scale);
    }
}
