package nocturne.tensor;

import java.util.List;
import nocturne.io.DType;

/// The loss and the updates of trained parameters.
public interface Optimisation {
    /// The weighted mean of a loss and its gradient.
    ///
    /// `loss = sum_b weight[b] * mean_i kind(prediction[b, i] - target[b, i]) / batch`,
    /// `gradient = gradientScale * dloss/dprediction`.
    ///
    /// @param prediction    `[batch * rows, C]`
    /// @param sampleWeights one weight for each sample
    /// @param gradient      overwritten
    /// @return the loss, summed in double
    double loss(Loss kind, Tensor prediction, Tensor target, float[] sampleWeights, float gradientScale,
            Tensor gradient);

    /// `sum(x^2)` in double.
    double sumOfSquares(Tensor x);

    /// One step of AdamW with decoupled weight decay.
    ///
    /// `p <- p (1 - lr wd)`; `m <- b1 m + (1 - b1) g`; `v <- b2 v + (1 - b2) g^2`;
    /// `p <- p - lr / (1 - b1^step) * m / (sqrt(v) / sqrt(1 - b2^step) + eps)`, with `g = gradientFactor * gradient`.
    ///
    /// Source: "Decoupled Weight Decay Regularization", arXiv:1711.05101, algorithm 2, in torch's order of operations.
    void adamW(Tensor parameter, Tensor gradient, Tensor m, Tensor v, AdamW settings, int step, float gradientFactor);

    /// The same step with both moments in bytes.
    ///
    /// The parameters move by the moments in float32, which are then brought to bytes again: each block's largest
    /// magnitude in float32, and for each element the code in [MomentCodes] that is nearest to its share of it. In a
    /// block of zeros all codes are those of 0. As in bitsandbytes on the CPU, the decay comes before the step.
    ///
    /// Source: "8-bit Optimizers via Block-wise Quantization", arXiv:2110.02861.
    void adamW8(Tensor parameter, Tensor gradient, Moments8 moments, AdamW settings, int step, float gradientFactor);

    /// `average <- average - weight * (average - value)`.
    void moveTowards(Tensor average, Tensor value, float weight);

    /// Both moments of a tensor of `n` elements in bytes. All bytes and largest values are zero before the first step.
    ///
    /// @param m        codes of the first moment in [MomentCodes#SIGNED], U8 `[n]`
    /// @param v        codes of the second moment in [MomentCodes#UNSIGNED], U8 `[n]`
    /// @param mLargest the first moment's largest magnitude in each block, F32 `[MomentCodes.blocks(n)]`
    /// @param vLargest the same of the second
    record Moments8(Tensor m, Tensor v, Tensor mLargest, Tensor vLargest) {
        public Moments8 {
            boolean fits = m.elements() == v.elements() && m.type() == DType.U8 && v.type() == DType.U8
                    && mLargest.type() == DType.F32 && vLargest.type() == DType.F32
                    && mLargest.elements() == MomentCodes.blocks(m.elements())
                    && vLargest.elements() == MomentCodes.blocks(m.elements());
            if (!fits) {
                throw new IllegalArgumentException("moments in 8 bits: " + List.of(m, v, mLargest, vLargest));
            }
        }
    }

    /// Settings of [#adamW] and [#adamW8] for one step.
    record AdamW(double learningRate, double beta1, double beta2, double eps, double weightDecay) {}
}
