package nocturne.io;

/// Conversions between fp32 and the short float formats that weights are stored in.
///
/// Narrowing rounds to the nearest value, ties to even, as IEEE 754 does by default and PyTorch too.
public final class HalfPrecision {
    /// The largest finite fp16 value.
    public static final float F16_MAX = 65504f;
    /// The smallest fp16 value that keeps all its 11 significant bits; below it fp16 is subnormal.
    public static final float F16_MIN_NORMAL = 0x1p-14f;

    /// The largest value of an 8-bit float with 4 exponent and 3 mantissa bits.
    public static final float E4M3_MAX = 448f;

    private static final int SIGN = 1 << 31;
    /// From here on the numbers of E4M3 are normal; below, they are multiples of 2^-9.
    private static final float E4M3_MIN_NORMAL = 0x1p-6f;
    /// Added to a small number, it leaves the number's multiple of 2^-9 in the lowest bits of the sum, rounded.
    private static final float E4M3_SUBNORMAL_SHIFT = 0x1p14f;
    private static final float[] E4M3 = e4m3Values();

    private HalfPrecision() {}

    /// The value of a bfloat16: the upper half of an fp32.
    public static float fromBf16(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    /// The nearest bfloat16. Values beyond its largest become infinite, a NaN stays a NaN.
    public static short toBf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        // Rounding could carry a NaN's payload into infinity, so NaN goes its own way and is made quiet.
        if (Float.isNaN(value)) return (short) (bits >>> 16 | 0x40);
        // Adding just under half an ulp, plus one if the kept part is odd, carries exactly when rounding is upwards.
        return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
    }

    /// The value of an IEEE half.
    public static float fromF16(short bits) {
        return Float.float16ToFloat(bits);
    }

    /// The nearest IEEE half. Values from 65520 up become infinite.
    public static short toF16(float value) {
        return Float.floatToFloat16(value);
    }

    /// The value of an 8-bit float with 4 exponent and 3 mantissa bits, bias 7. It has no infinities; 0x7f and 0xff
    /// are NaN.
    ///
    /// Source: "FP8 Formats for Deep Learning", arXiv:2209.05433, table 1.
    public static float fromE4m3(byte bits) {
        return E4M3[bits & 0xff];
    }

    /// The nearest 8-bit float with 4 exponent and 3 mantissa bits. Values beyond the largest become the largest, a NaN
    /// stays a NaN.
    public static byte toE4m3(float value) {
        if (Float.isNaN(value)) return 0x7f;
        int sign = (Float.floatToRawIntBits(value) & SIGN) >>> 24;
        float magnitude = Math.min(Math.abs(value), E4M3_MAX);
        if (magnitude < E4M3_MIN_NORMAL) {
            int multiple = Float.floatToRawIntBits(magnitude + E4M3_SUBNORMAL_SHIFT)
                    - Float.floatToRawIntBits(E4M3_SUBNORMAL_SHIFT);
            return (byte) (sign | multiple);
        }
        int bits = Float.floatToRawIntBits(magnitude);
        // Just under half of what is cut off, plus one if the kept part is odd: carries exactly when rounding upwards.
        int rounded = bits + 0x7ffff + (bits >>> 20 & 1) >>> 20;
        // The exponent's bias is 127 in fp32 and 7 here; beside 3 bits of mantissa, a step of it is 8.
        return (byte) (sign | rounded - (127 - 7 << 3));
    }

    /// The value of an 8-bit float with 5 exponent and 2 mantissa bits: the upper half of an fp16.
    public static float fromE5m2(byte bits) {
        return Float.float16ToFloat((short) (bits << 8));
    }

    private static float[] e4m3Values() {
        float[] values = new float[256];
        for (int bits = 0; bits < 256; bits++) {
            int exponent = bits >> 3 & 15;
            int mantissa = bits & 7;
            float magnitude = exponent == 0
                    ? Math.scalb((float) mantissa, -9)
                    : Math.scalb((float) (8 + mantissa), exponent - 10);
            if ((bits & 0x7f) == 0x7f) magnitude = Float.NaN;
            values[bits] = bits < 128 ? magnitude : -magnitude;
        }
        return values;
    }
}
