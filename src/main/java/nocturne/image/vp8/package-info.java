/// Lossy WebP: the key frames of VP8, bit for bit as the reference decoder libwebp gives them.
///
/// The Java library for WebP (TwelveMonkeys 3.13.1 and earlier) is right only where the stream asks for no loop filter;
/// elsewhere its pictures drift: at `cwebp -q 75` a smooth one came back with seven times the squared error of the
/// reference decoder.
///
/// Invariants: every number read from the stream is bounded before it is used as an index or a size; a stream that
/// ends early is refused.
///
/// Source of all formulas: RFC 6386, "VP8 Data Format and Decoding Guide".
@NullMarked
package nocturne.image.vp8;

import org.jspecify.annotations.NullMarked;
