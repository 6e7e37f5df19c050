package nocturne.quant;

import nocturne.io.DType;

/// Signed bytes, and one scale a row.
///
/// `code = clamp(round(w / scale), -128, 127)`, ties to even; `w = G(code * scale)`.
///
/// @param span what the row's largest magnitude becomes before it is rounded and clamped
record Int8Rows(RowScaling scaling, float span) implements Encoding {
    @Override
    public DType dtype() {
        return DType.I8;
    }

    @Override
    public float most() {
        return -Byte.MIN_VALUE;
    }

    @Override
    public void encode(float[] row, Rounding rounding, RowCodes into) {
        float scale = scaling.scale(row, span, rounding);
        scaling.divide(row, scale, rounding);
        into.scales()[0] = scale;
        byte[] codes = into.codes();
        for (int i = 0; i < row.length; i++) {
            codes[i] = (byte) Math.clamp((int) Math.rint(row[i]), Byte.MIN_VALUE, Byte.MAX_VALUE);
        }
    }

    @Override
    public void decode(RowCodes from, Rounding rounding, float[] row) {
        float scale = from.scales()[0];
        byte[] codes = from.codes();
        for (int i = 0; i < row.length; i++) row[i] = rounding.of(codes[i] * scale);
    }
}
