/// Tensors, the tape that differentiates them, and the operations a Qwen-Image pipeline is made of.
///
/// Invariants: no model is known here and no device. A [nocturne.tensor.Tensor] lives in a
/// [nocturne.tensor.TensorArena] and dies with its scope, never by garbage collection. What an operation computes is
/// written in the family interfaces ([nocturne.tensor.Products], [nocturne.tensor.Norms], ...); how, in a
/// [nocturne.tensor.Backend]. Every number is float32 unless its declaration says otherwise.
@NullMarked
package nocturne.tensor;

import org.jspecify.annotations.NullMarked;
