/// Qwen-Image, as its authors published it: the words a prompt becomes, the pictures the language model looks at, and
/// the networks that turn noise into pictures. The formulas are those of the released `transformers` and `diffusers`
/// classes of the same names; golden numbers from those libraries hold every class to them.
///
/// Invariants: nothing here knows a backend, a data set or a recipe; folders given to us are checked in full before
/// anything is computed, and everything wrong with them is told at once; prompts are never padded.
@NullMarked
package nocturne.qwen;

import org.jspecify.annotations.NullMarked;
