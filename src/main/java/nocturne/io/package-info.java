/// Files: safetensors read and written, atomic replacement, deletion, room on the disk, content hashes, half-precision
/// numbers, whole words in a text.
///
/// Invariants: bytes from outside are checked before anything trusts them, and what is wrong with them is told as a
/// [nocturne.problem.UserMistake], never as a raw exception. A file that has its final name is complete and on the
/// disk. Tensor bytes of a file stay mapped, read-only, and are widened only where somebody asks for them.
@NullMarked
package nocturne.io;

import org.jspecify.annotations.NullMarked;
