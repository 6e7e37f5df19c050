package nocturne.tensor;

/// The loss and the updates of trained parameters.
public interface Optimisation {
    /// Weighted mean squared error and its gradient.
    ///
    /// `loss = sum_b weight[b] * mean_i (prediction[b, i] - target[b, i])^2 / batch`,
    /// `gradient = gradientScale * dloss/dprediction`.
    ///
    /// @param prediction    `[batch * rows, C]`
    /// @param sampleWeights one weight for each sample
    /// @param gradient      overwritten
    /// @return the loss, summed in double
    double meanSquaredError(Tensor prediction, Tensor target, float[] sampleWeights, float gradientScale,
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

    /// `average <- average - weight * (average - value)`.
    void moveTowards(Tensor average, Tensor value, float weight);

    /// Settings of [#adamW] for one step.
    record AdamW(double learningRate, double beta1, double beta2, double eps, double weightDecay) {}
}
