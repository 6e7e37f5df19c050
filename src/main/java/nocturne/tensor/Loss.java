package nocturne.tensor;

/// How far a prediction is from its target, for one number with difference `d = prediction - target`.
public enum Loss {
    /// `d^2`, of slope `2 d`.
    SQUARED,
    /// `|d|`, of slope -1 or 1, and 0 where there is no difference.
    ABSOLUTE,
    /// `sqrt(d^2 + c^2) - c` with `c = 0.01`, of slope `d / sqrt(d^2 + c^2)`: the absolute difference with a round tip.
    ///
    /// Source: "Improved Techniques for Training Consistency Models", arXiv:2310.14189, section 3.3, taken number by
    /// number as in ai-toolkit, which has this `c`.
    PSEUDO_HUBER;

    /// Where a pseudo-Huber loss turns from a parabola to a line; the same number stands in `kernels/optimisation.cu`.
    public static final double HUBER_WIDTH = 0.01;
}
