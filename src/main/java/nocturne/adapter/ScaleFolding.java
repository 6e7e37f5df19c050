package nocturne.adapter;

import nocturne.adapter.AdapterModule.LowRank;
import nocturne.io.DType;
import nocturne.io.HalfPrecision;

/// How the scale of a LoRA module is spread over its two matrices when they are saved without an alpha.
///
/// All of it goes into B (up), unless that leaves the range of fp16: then a power of two moves between A and B, which
/// changes no digit of either, until both have about the same largest value.
///
/// @param downFactor     A is multiplied by this; a power of two
/// @param upFactor       B is multiplied by this; `downFactor * upFactor` is the scale
/// @param subnormalShare share of the values of both that fp16 cannot keep in full; 0 for other types
record ScaleFolding(float downFactor, float upFactor, double subnormalShare) {
    private static final double TOLERABLE_SHARE = 0.01;

    static ScaleFolding of(LowRank module, DType dtype) {
        ScaleFolding plain = with(1, module, dtype);
        if (dtype != DType.F16) return plain;
        double down = largest(module.down());
        double up = largest(module.up()) * Math.abs(module.scale());
        boolean overflows = Math.max(down, up) > HalfPrecision.F16_MAX;
        if (!overflows && plain.subnormalShare <= TOLERABLE_SHARE) return plain;
        // Nothing to balance where one side is zero, and nothing to save where one is not finite.
        if (!(down > 0 && up > 0 && down < Double.POSITIVE_INFINITY && up < Double.POSITIVE_INFINITY)) return plain;
        int exponent = (int) Math.round(Math.log(up / down) / Math.log(2) / 2);
        ScaleFolding balanced = with(Math.scalb(1f, Math.clamp(exponent, -60, 60)), module, dtype);
        return overflows || balanced.subnormalShare < plain.subnormalShare ? balanced : plain;
    }

    private static ScaleFolding with(float downFactor, LowRank module, DType dtype) {
        float upFactor = module.scale() / downFactor;
        if (dtype != DType.F16) return new ScaleFolding(downFactor, upFactor, 0);
        long subnormal = subnormal(module.down(), downFactor) + subnormal(module.up(), upFactor);
        return new ScaleFolding(downFactor, upFactor,
                (double) subnormal / (module.down().length + module.up().length));
    }

    private static long subnormal(float[] values, float factor) {
        long count = 0;
        for (float value : values) {
            float stored = Math.abs(value * factor);
            if (stored > 0 && stored < HalfPrecision.F16_MIN_NORMAL) count++;
        }
        return count;
    }

    private static double largest(float[] values) {
        double largest = 0;
        for (float value : values) largest = Math.max(largest, Math.abs(value));
        return largest;
    }
}
