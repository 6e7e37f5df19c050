/// What the service says while it works: one line for each change of state, on standard error, for people or for
/// machines.
///
/// Invariant: one event is one line of bounded length, whatever a stranger's text in it contains.
@NullMarked
package nocturne.service.log;

import org.jspecify.annotations.NullMarked;
