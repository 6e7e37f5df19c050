package nocturne.cpu;

import static nocturne.cpu.Lanes.FLOAT;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import nocturne.tensor.MomentCodes;
import nocturne.tensor.Optimisation.AdamW;
import nocturne.tensor.Optimisation.Moments8;
import nocturne.tensor.Tensor;

/// One step of AdamW with both moments in bytes, block by block. Blocks may be computed by different threads.
///
/// The order of operations, fused where the compiler of bitsandbytes' library fuses them, is what makes the bits its
/// own: `m = fma(1 - b1, g, b1 m)`, `v = fma((1 - b2) g, g, b2 v)`, `p = p decay - (stepSize m) / (sqrt v / c + eps)`.
final class CpuAdamW8 {
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

    private final MemorySegment parameters;
    private final MemorySegment gradients;
    private final MemorySegment mCodes;
    private final MemorySegment vCodes;
    private final MemorySegment mLargest;
    private final MemorySegment vLargest;
    private final long elements;
    private final float gradientFactor;
    private final float decay;
    private final float stepSize;
    private final float correction;
    private final float beta1;
    private final float rest1;
    private final float beta2;
    private final float rest2;
    private final float eps;

    CpuAdamW8(Tensor parameter, Tensor gradient, Moments8 moments, AdamW settings, int step, float gradientFactor) {
        parameters = parameter.data();
        gradients = gradient.data();
        mCodes = moments.m().data();
        vCodes = moments.v().data();
        mLargest = moments.mLargest().data();
        vLargest = moments.vLargest().data();
        elements = parameter.elements();
        this.gradientFactor = gradientFactor;
        // StrictMath: the same bits interpreted, compiled and on every processor.
        decay = (float) (1 - settings.learningRate() * settings.weightDecay());
        stepSize = (float) (settings.learningRate() / (1 - StrictMath.pow(settings.beta1(), step)));
        correction = (float) Math.sqrt(1 - StrictMath.pow(settings.beta2(), step));
        beta1 = (float) settings.beta1();
        rest1 = (float) (1 - settings.beta1());
        beta2 = (float) settings.beta2();
        rest2 = (float) (1 - settings.beta2());
        eps = (float) settings.eps();
    }

    /// Computes the blocks `[from, to)`.
    void blocks(int from, int to) {
        float[] m = new float[MomentCodes.BLOCK];
        float[] v = new float[MomentCodes.BLOCK];
        for (int block = from; block < to; block++) {
            long first = (long) block * MomentCodes.BLOCK;
            int count = (int) Math.min(MomentCodes.BLOCK, elements - first);
            step(first, count, mLargest.get(FLOAT, 4L * block), vLargest.get(FLOAT, 4L * block), m, v);
            mLargest.set(FLOAT, 4L * block, encode(MomentCodes.SIGNED, m, count, mCodes, first));
            vLargest.set(FLOAT, 4L * block, encode(MomentCodes.UNSIGNED, v, count, vCodes, first));
        }
    }

    /// Moves the parameters of a block and leaves its moments in `m` and `v`.
    private void step(long first, int count, float mUnit, float vUnit, float[] m, float[] v) {
        for (int i = 0; i < count; i++) {
            long at = first + i;
            float gradient = gradients.get(FLOAT, 4 * at) * gradientFactor;
            float mBefore = MomentCodes.SIGNED.value(mCodes.get(BYTE, at)) * mUnit;
            float vBefore = MomentCodes.UNSIGNED.value(vCodes.get(BYTE, at)) * vUnit;
            m[i] = Math.fma(rest1, gradient, beta1 * mBefore);
            v[i] = Math.fma(rest2 * gradient, gradient, beta2 * vBefore);
            float denominator = (float) Math.sqrt(v[i]) / correction + eps;
            float moved = parameters.get(FLOAT, 4 * at) * decay - stepSize * m[i] / denominator;
            parameters.set(FLOAT, 4 * at, moved);
        }
    }

    /// @return the block's largest magnitude
    private static float encode(MomentCodes codes, float[] moments, int count, MemorySegment into, long first) {
        float largest = 0;
        for (int i = 0; i < count; i++) largest = Math.max(largest, Math.abs(moments[i]));
        for (int i = 0; i < count; i++) {
            float share = largest == 0 ? 0 : moments[i] / largest;
            into.set(BYTE, first + i, codes.nearest(share));
        }
        return largest;
    }
}
