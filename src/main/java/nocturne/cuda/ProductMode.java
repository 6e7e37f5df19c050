package nocturne.cuda;

/// How products with frozen weights that are kept as codes are computed.
public enum ProductMode {
    /// The codes become numbers of the activations' type before each product: as exact as the weights' format.
    DECODED,
    /// The activations become codes too and are multiplied with the weights' on 8-bit tensor cores, in those layers
    /// where that was tried and found close enough; see [nocturne.tensor.EightBitProducts].
    EIGHT_BIT
}
