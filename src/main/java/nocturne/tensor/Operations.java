package nocturne.tensor;

/// All that a [Backend] can compute, by families.
public record Operations(Products products, Norms norms, Attention attention, Elementwise elementwise,
        Convolution convolution, Optimisation optimisation) {}
