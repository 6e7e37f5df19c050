/// The CUDA backend: computes by the kernels in `kernels/`, which it launches by name on a [nocturne.cuda.Device].
///
/// Invariants: knows no model. A family of operations only computes the shape of a launch and its arguments; every
/// number is computed by a kernel. Nothing is allocated for a launch, in Java or on the device. The same input on the
/// same device gives the same bits: no kernel adds floats in an order that depends on timing.
@NullMarked
package nocturne.cuda;

import org.jspecify.annotations.NullMarked;
