package nocturne.quant;

import nocturne.io.DType;

/// Codes of 2 to 7 bits without a sign, with a scale and a zero point for each group of 64 columns of a row.
///
/// With `lo = min(0, min w)`, `hi = max(0, max w)` over the group and `most = 2^bits - 1`:
/// `scale = max(G(G(hi - lo) / most), 2^-23)`; `zero = clamp(-round(G(lo / scale)), 0, most)`;
/// `code = clamp(round(G(w * G(1 / scale))) + zero, 0, most)`; `w = G((code - zero) * scale)`. Ties go to even.
///
/// Source: torchao's affine quantisation with an integer zero point, as ai-toolkit's `uint2` to `uint7` use it.
record BitGroups(int bits) implements Encoding {
    /// Columns of a group.
    static final int GROUP = 64;

    BitGroups {
        if (bits < 2 || bits > 7) throw new IllegalArgumentException("codes of %d bits".formatted(bits));
    }

    @Override
    public DType dtype() {
        return DType.U8;
    }

    @Override
    public boolean fits(int columns) {
        return columns % GROUP == 0;
    }

    @Override
    public int groups(int columns) {
        return columns / GROUP;
    }

    @Override
    public boolean hasZeroPoints() {
        return true;
    }

    @Override
    public float most() {
        return (1 << bits) - 1;
    }

    @Override
    public long codeBytes(int rows, int columns) {
        return new BitShards(bits, (long) rows * columns).bytes();
    }

    @Override
    public void encode(float[] row, Rounding rounding, RowCodes into) {
        int most = (1 << bits) - 1;
        for (int group = 0; group < into.scales().length; group++) {
            int from = group * GROUP;
            float lo = 0;
            float hi = 0;
            for (int i = from; i < from + GROUP; i++) {
                lo = Math.min(lo, row[i]);
                hi = Math.max(hi, row[i]);
            }
            float scale = Math.max(rounding.of(rounding.of(hi - lo) / most), LEAST_SCALE);
            int zero = Math.clamp(-(int) Math.rint(rounding.of(lo / scale)), 0, most);
            float inverse = rounding.of(1 / scale);
            for (int i = from; i < from + GROUP; i++) {
                int code = (int) Math.rint(rounding.of(row[i] * inverse)) + zero;
                into.codes()[i] = (byte) Math.clamp(code, 0, most);
            }
            into.scales()[group] = scale;
            into.zeroPoints()[group] = (byte) zero;
        }
    }

    @Override
    public void decode(RowCodes from, Rounding rounding, float[] row) {
        for (int group = 0; group < from.scales().length; group++) {
            float scale = from.scales()[group];
            int zero = from.zeroPoints()[group];
            for (int i = group * GROUP; i < (group + 1) * GROUP; i++) {
                row[i] = rounding.of((from.codes()[i] - zero) * scale);
            }
        }
    }
}
