/// The folder where people drop things: which of them are whole, how one service of several takes each, and where a
/// file goes when its answer is known.
///
/// Invariants: nothing is read before it is known to be a plain file with one name; nothing waits for a file; a file is
/// ours only when it has been renamed into our own folder; a user's file is deleted only when what was in it is durable
/// elsewhere, and none is ever overwritten.
@NullMarked
package nocturne.service.inbox;

import org.jspecify.annotations.NullMarked;
