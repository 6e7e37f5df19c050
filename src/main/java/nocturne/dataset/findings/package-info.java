/// What a person should know about a dataset before it is trained: how much of what there is, which pictures are alike,
/// blurred or small, and what the captions lack.
///
/// Invariants: nothing here refuses anything or changes what is trained; the same dataset gives the same report, in the
/// same order; what was not looked at is counted, never guessed.
@NullMarked
package nocturne.dataset.findings;

import org.jspecify.annotations.NullMarked;
