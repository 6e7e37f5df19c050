/// JPEG at an eighth, a quarter or half of its size, for looking at many large pictures in little time.
///
/// A JPEG stores frequencies of blocks of 8 x 8 pixels. The lowest of them are the picture at a smaller size, so
/// nothing but them is computed; all the others are still walked through, bit by bit, because that is how a file that
/// breaks off or was damaged is told from a sound one.
///
/// Invariants: every number read from the file is bounded before it is used as an index or a size; what this package
/// does not know (arithmetic coding, 12 bits, lossless) it refuses to judge, which says nothing about the file.
///
/// Source of all procedures: ITU-T T.81 (JPEG), annexes B, F and G.
@NullMarked
package nocturne.image.jpeg;

import org.jspecify.annotations.NullMarked;
