/// Jobs: what they are, where they lie, how they get from one state to the next, and what a restart finds.
///
/// Invariants: the state of a job is `job.json` in its folder, replaced whole or not at all, and nothing else; every
/// transition is one such replacement followed by one line in the job's journal, in that order, so an event is true
/// before it can be read; one process works in a work folder at a time. Nothing here knows Kafka, Camel, or how a
/// trainer is started.
@NullMarked
package nocturne.job;

import org.jspecify.annotations.NullMarked;
