package nocturne.image;

import java.util.function.DoubleUnaryOperator;

/// For every output pixel along one axis: which input pixels count, and how much, in fixed point.
///
/// @param first  `[size]` the first input pixel
/// @param count  `[size]` how many input pixels
/// @param weight `[size, stride]` weights times `2^bits`, rounded; they sum to about `2^bits`
record ResampleTaps(int[] first, int[] count, int[] weight, int stride, int bits) {

    /// How many bits a weight gets after the point. Two libraries, two choices; both are exact integer arithmetic from
    /// there on, which is why our pictures can be the same as theirs, bit for bit.
    enum Precision {
        /// Pillow: as many as leave room for 8 bits of pixel and two of overshoot in 32.
        PILLOW {
            @Override
            int bits(double largest) {
                return 32 - 8 - 2;
            }
        },
        /// torchvision's 8-bit kernel: as many as let the largest weight fit a signed 16-bit number.
        TORCHVISION {
            @Override
            int bits(double largest) {
                int bits = 0;
                while (bits < 22 && (int) (0.5 + largest * (1 << bits + 1)) < 1 << 15) bits++;
                return bits;
            }
        };

        abstract int bits(double largest);
    }

    /// Antialiased: when shrinking, the filter is stretched by the factor, so that every input pixel counts.
    ///
    /// With `s = in / out`, `f = max(s, 1)` and centre `c = (i + 0.5) s`, output `i` takes the inputs `j` from
    /// `trunc(c - support f + 0.5)` to before `trunc(c + support f + 0.5)`, inside the picture, with weights
    /// `filter((j - c + 0.5) / f)` normalised to sum 1. Source: Pillow's `precompute_coeffs`, which torch follows.
    static ResampleTaps of(int in, int out, double support, DoubleUnaryOperator filter, Precision precision) {
        double scale = (double) in / out;
        double stretch = Math.max(scale, 1);
        double reach = support * stretch;
        int stride = (int) Math.ceil(reach) * 2 + 1;
        int[] first = new int[out];
        int[] count = new int[out];
        double[] exact = new double[Math.multiplyExact(out, stride)];
        double largest = 0;
        for (int i = 0; i < out; i++) {
            double centre = (i + 0.5) * scale;
            first[i] = Math.max(0, (int) (centre - reach + 0.5));
            count[i] = Math.min(in, (int) (centre + reach + 0.5)) - first[i];
            double sum = 0;
            for (int k = 0; k < count[i]; k++) {
                double w = filter.applyAsDouble((k + first[i] - centre + 0.5) * (1 / stretch));
                exact[i * stride + k] = w;
                sum += w;
            }
            for (int k = 0; k < count[i]; k++) {
                exact[i * stride + k] /= sum;
                largest = Math.max(largest, exact[i * stride + k]);
            }
        }
        int bits = precision.bits(largest);
        int[] weight = new int[exact.length];
        for (int k = 0; k < weight.length; k++) {
            weight[k] = (int) (exact[k] * (1 << bits) + Math.copySign(0.5, exact[k]));
        }
        return new ResampleTaps(first, count, weight, stride, bits);
    }
}
