/// What happens to jobs and hosts, as CloudEvents 1.0, one a line.
///
/// Invariants: a line is whole or cut off at the next opening; within one log the sequence has no gap; prompts,
/// captions and pictures never stand in an event. Nothing here knows who writes or who reads.
@NullMarked
package nocturne.event;

import org.jspecify.annotations.NullMarked;
