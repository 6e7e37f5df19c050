/// A stand-in for the trainer: a process with the real protocol that only pretends to compute, and fails on demand.
///
/// Uses nothing but the JDK in the process it is, so that it starts in a tenth of a second.
@NullMarked
package nocturne.service.fake;

import org.jspecify.annotations.NullMarked;
