/// The service: what comes in by Camel's routes, which device works on what, and what goes out.
///
/// Invariants: never loads a model or a native compute library; a trainer is a process of its own; nothing is told to
/// the world that is not on the disk; whatever a stranger sends is refused with words, never with a stack trace, and
/// never ends the service.
@NullMarked
package nocturne.service;

import org.jspecify.annotations.NullMarked;
