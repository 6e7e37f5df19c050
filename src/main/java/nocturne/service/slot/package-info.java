/// Slots and the trainers in them: a device that can run one job, a process of its own for each attempt at it.
///
/// Invariants: at most one trainer to a device and to a job, also across a restart of the service; a trainer that was
/// started is written down before anything else happens; whatever way it ends, the job's next state follows from the
/// exit code, its last word and what was asked of it ([Ending]), and nothing else; all waiting is measured by a clock
/// that only runs forwards. Nothing here knows Kafka or the outbox.
@NullMarked
package nocturne.service.slot;

import org.jspecify.annotations.NullMarked;
