package nocturne.tensor;

/// Operations that touch each number once.
public interface Elementwise {
    void fill(Tensor target, float value);

    void copy(Tensor source, Tensor target);

    /// `y += a * x`.
    void addScaled(Tensor x, float a, Tensor y);

    /// `out = x + gate * y`, the gate being one part of the modulation.
    ///
    /// @param modulation `[M, parts * D]`
    void gatedResidual(Tensor x, Tensor y, Tensor modulation, int gatePart, RowMap map, Tensor out);

    /// Gradients of [#gatedResidual] but for `x`, whose gradient is `dOut` itself.
    ///
    /// @param dy          overwritten with `dOut * gate`
    /// @param dModulation added to
    void gatedResidualBackward(Tensor dOut, Tensor y, Tensor modulation, int gatePart, RowMap map, Tensor dy,
            Tensor dModulation);

    /// `y = 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))`.
    ///
    /// Source: "Gaussian Error Linear Units", arXiv:1606.08415, the tanh form.
    void geluTanh(Tensor x, Tensor y);

    /// `dx = dy * gelu'(x)`, overwritten; `dx` may be `dy`.
    void geluTanhBackward(Tensor dy, Tensor x, Tensor dx);

    /// `y = x / (1 + exp(-x))`.
    void silu(Tensor x, Tensor y);

    /// `y = 0.5 x (1 + erf(x / sqrt(2)))`, within 2e-7 `|x|`. No backward pass: only frozen networks use it.
    ///
    /// Source: "Gaussian Error Linear Units", arXiv:1606.08415, the exact form.
    void geluErf(Tensor x, Tensor y);

    /// `y = silu(gate) * up`; `y` may be either input. No backward pass: only frozen networks use it.
    ///
    /// Source: "GLU Variants Improve Transformer", arXiv:2002.05202, equation 6.
    void swiGlu(Tensor gate, Tensor up, Tensor y);

    /// Turns the two halves of each head against each other: `y1 = x1 cos - x2 sin`, `y2 = x2 cos + x1 sin`.
    /// No backward pass: only frozen networks use it.
    ///
    /// Source: "RoFormer", arXiv:2104.09864, with pairs `(v[i], v[i + headDim / 2])`.
    ///
    /// @param x   `[rows, heads * headDim]`
    /// @param cos `[rows, headDim / 2]`
    /// @param sin `[rows, headDim / 2]`
    /// @param y   `[rows, heads * headDim]`; may be `x`
    void rotateHalves(Tensor x, Tensor cos, Tensor sin, Tensor y);

    /// Copies each sample's rows into a longer sequence: `joint[b, offset + i] = part[b, i]`.
    ///
    /// @param part  `[batch * rows, D]`
    /// @param joint `[batch * jointRows, D]`
    void placeRows(Tensor part, int batch, int offset, Tensor joint);

    /// Copies rows back out: `part[b, i] = joint[b, offset + i]`.
    void takeRows(Tensor joint, int batch, int offset, Tensor part);
}
