/// The number formats of frozen weights: 8-bit floats, 8-bit integers, and groups of 2 to 7 bits.
///
/// A format turns the rows of a matrix into codes and scales and back again, in the arithmetic of the libraries that
/// the adapters and base models of others were made with, bit for bit: results depend on it, and adapters that recover
/// what a format has lost were trained on exactly that loss. Matrices may come out of a cache that is mapped, or of
/// files that were quantised elsewhere.
///
/// Invariants: knows no tensor, no device and no model; works on a row at a time, so that a model need never lie in
/// memory twice; shares no mutable state; a row of zeros stays a row of zeros; a number that is not finite is told and
/// never stored.
@NullMarked
package nocturne.quant;

import org.jspecify.annotations.NullMarked;
