package nocturne.quant;

import java.util.Arrays;

/// How the one scale of a row is made and applied. In bf16 the two ways differ by up to one code.
enum RowScaling {
    /// torchao's: `scale = max(G(amax / most), 2^-23)`, and weights are multiplied with `G(1 / scale)`.
    RECIPROCAL,
    /// quanto's: `scale = G(amax / most)`, and weights are divided by it. For a row of zeros that is 0/0 there; here
    /// the row gets the scale 0 and the codes of 0.
    DIVISION;

    /// @param most what the row's largest magnitude becomes
    /// @return NaN or infinite if the row holds such a value
    float scale(float[] row, float most, Rounding rounding) {
        float largest = 0;
        for (float weight : row) largest = Math.max(largest, Math.abs(weight));
        float scale = rounding.of(largest / most);
        return this == RECIPROCAL ? Math.max(scale, Encoding.LEAST_SCALE) : scale;
    }

    /// Expresses a row in units of its scale, in place.
    void divide(float[] row, float scale, Rounding rounding) {
        if (scale == 0) {
            Arrays.fill(row, 0);
        } else if (this == RECIPROCAL) {
            float inverse = rounding.of(1 / scale);
            for (int i = 0; i < row.length; i++) row[i] = rounding.of(row[i] * inverse);
        } else {
            for (int i = 0; i < row.length; i++) row[i] = rounding.of(row[i] / scale);
        }
    }
}
