package nocturne.quant;

import nocturne.io.DType;
import nocturne.io.HalfPrecision;

/// The number type in which a format's arithmetic is done: every single operation is computed in fp32 and rounded to
/// it.
///
/// It is the type of the weights. The reference computes in that type, so that the same weights give other codes as
/// bf16 than as fp32.
public enum Rounding {
    F32,
    BF16;

    /// The rounding for weights that are stored as `type`.
    ///
    /// Formats narrower than bf16 have values that bf16 holds, and are computed with as such.
    public static Rounding of(DType type) {
        return switch (type) {
            case F64, F32, F16 -> F32;
            case BF16, F8_E4M3, F8_E5M2 -> BF16;
            case I64, I32, I16, I8, U8, BOOL -> throw new IllegalArgumentException("weights stored as " + type);
        };
    }

    /// The nearest number of this type, ties to even.
    float of(float value) {
        return this == F32 ? value : HalfPrecision.fromBf16(HalfPrecision.toBf16(value));
    }
}
