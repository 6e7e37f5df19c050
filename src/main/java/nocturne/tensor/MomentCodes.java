package nocturne.tensor;

import java.util.Arrays;

/// The 256 values between -1 and 1 that a byte of an optimiser's moment stands for, in units of its block's largest.
///
/// They are dense near zero: seven powers of ten from 1e-6 to 1, in each of them twice as many values as in the one
/// before, and 0 and 1 themselves. Source: "8-bit Optimizers via Block-wise Quantization", arXiv:2110.02861, in the
/// arithmetic of bitsandbytes.
public final class MomentCodes {
    /// Consecutive elements that share a largest value; the last block of a tensor may be shorter.
    public static final int BLOCK = 256;
    /// Tensors with fewer elements keep their moments in float32, having too little to gain; bitsandbytes'
    /// `min_8bit_size`.
    public static final int LEAST_ELEMENTS = 4096;
    /// For first moments.
    public static final MomentCodes SIGNED = new MomentCodes(true);
    /// For second moments, from 0 up.
    public static final MomentCodes UNSIGNED = new MomentCodes(false);

    private final float[] values = new float[256];
    /// Between each value and the next; exact, so that a tie is one and goes to the lower code.
    private final double[] middles = new double[255];

    private MomentCodes(boolean signed) {
        float[] powers = {1e-6f, 1e-5f, 1e-4f, 1e-3f, 1e-2f, 1e-1f, 1f};
        int count = 0;
        for (int i = 0; i < powers.length; i++) {
            int points = (1 << (signed ? i : i + 1)) + 1;
            for (int n = 0; n + 1 < points; n++) {
                float value = (point(n, points) + point(n + 1, points)) / 2 * powers[i];
                values[count++] = value;
                if (signed) values[count++] = -value;
            }
        }
        values[count++] = 0;
        values[count] = 1;
        Arrays.sort(values);
        for (int code = 0; code < middles.length; code++) {
            middles[code] = ((double) values[code] + values[code + 1]) / 2;
        }
    }

    /// The `n`-th of equally spaced points from 0.1 to 1, counted from the nearer end as torch's `linspace` does.
    private static float point(int n, int points) {
        float step = (1 - 0.1f) / (points - 1);
        return n < points / 2 ? Math.fma(step, n, 0.1f) : Math.fma(-step, points - 1 - n, 1);
    }

    public float value(byte code) {
        return values[code & 0xff];
    }

    /// The code of the nearest value.
    public byte nearest(float value) {
        int low = 0;
        int high = middles.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (middles[middle] < value) low = middle + 1;
            else high = middle;
        }
        return (byte) low;
    }

    /// All values, ascending, for devices that look them up.
    public float[] values() {
        return values.clone();
    }

    /// How many blocks a tensor has.
    public static int blocks(long elements) {
        return Math.toIntExact((elements + BLOCK - 1) / BLOCK);
    }
}
