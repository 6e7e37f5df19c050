/// The CPU backend: products by OpenBLAS, everything else by fused, vectorised, multi-threaded loops.
///
/// Invariants: knows no model; the only package besides the CUDA backend that touches native libraries. Results are the
/// same bits for the same input and thread count: work is cut into pieces by size alone, each piece writes its own
/// output, and partial sums are added in a fixed order. Vector code uses only operations whose result is fixed by
/// IEEE 754 (add, multiply, fma, divide, square root), because the interpreter and the compiler disagree on the others.
@NullMarked
package nocturne.cpu;

import org.jspecify.annotations.NullMarked;
