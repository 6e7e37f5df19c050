package nocturne.tensor;

/// Normalisations, fused with what follows them in the model.
public interface Norms {
    /// Layer norm without weights, then modulation:
    /// `y[r] = (x[r] - mean(x[r])) * rstd[r] * (1 + scale) + shift`, `rstd = 1 / sqrt(var + eps)`, biased variance.
    ///
    /// Source: "Layer Normalization", arXiv:1607.06450; adaLN of "Scalable Diffusion Models with Transformers",
    /// arXiv:2212.09748, section 3.2.
    ///
    /// @param x          `[rows, D]`
    /// @param modulation `[M, parts * D]`; parts `shiftPart` and `scalePart` of D columns each are read
    /// @param statistics `[rows, 2]` receives mean and rstd for the backward pass
    void layerNormModulate(Tensor x, Tensor modulation, int shiftPart, int scalePart, RowMap map, float eps, Tensor y,
            Tensor statistics);

    /// Gradients of [#layerNormModulate]; both results are added to.
    ///
    /// @param dx          `[rows, D]`, added to, or overwritten where `accumulate` is false
    /// @param dModulation `[M, parts * D]`, added to
    void layerNormModulateBackward(Tensor dy, Tensor x, Tensor modulation, int shiftPart, int scalePart, RowMap map,
            Tensor statistics, Tensor dx, boolean accumulate, Tensor dModulation);

    /// `y = x / sqrt(mean(x^2) + eps) * weight` over the innermost axis.
    ///
    /// Source: "Root Mean Square Layer Normalization", arXiv:1910.07467, equation 4.
    ///
    /// @param weight `[columns]`
    void rmsNorm(Tensor x, Tensor weight, float eps, Tensor y);

    /// Gradient of [#rmsNorm] with respect to `x`; the weight is frozen.
    void rmsNormBackward(Tensor dy, Tensor x, Tensor weight, float eps, Tensor dx, boolean accumulate);

    /// RMS norm of each head, rotation of neighbouring pairs, and placement among the rows of a joint sequence:
    /// `out[b, offset + i, h] = rotate(rms(x[b, i, h]) * weight, angle[offset + i])`.
    ///
    /// Source: "RoFormer", arXiv:2104.09864, on pairs `(v[2i], v[2i+1])`.
    ///
    /// @param x      `[batch * rows, heads * headDim]`
    /// @param weight `[headDim]`
    /// @param cos    `[joint, headDim]`, each angle's cosine twice
    /// @param sin    `[joint, headDim]`, each angle's sine twice, the first of a pair negated
    /// @param out    `[batch * joint, heads * headDim]`, rows `offset .. offset + rows` of each sample are written
    void headNormRotate(Tensor x, Tensor weight, Tensor cos, Tensor sin, int batch, int offset, float eps, Tensor out);

    /// Gradient of [#headNormRotate] with respect to `x`, overwritten.
    void headNormRotateBackward(Tensor dOut, Tensor x, Tensor weight, Tensor cos, Tensor sin, int batch, int offset,
            float eps, Tensor dx);
}
