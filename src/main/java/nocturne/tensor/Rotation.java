package nocturne.tensor;

/// Rotary angles of every position of a joint sequence, prepared for rotating neighbouring pairs.
///
/// @param cos `[positions, headDim]`, each angle's cosine twice
/// @param sin `[positions, headDim]`, each angle's sine twice, the first of each pair negated
public record Rotation(Tensor cos, Tensor sin) {}
