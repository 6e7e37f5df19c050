/// What the world gets to see: files in the outbox, events on Kafka and at webhooks.
///
/// Invariants: a file in the outbox is whole or not there; what a person put there stays; an event is sent only when it
/// is in the journal, on the disk, and the files that it speaks of are in the outbox; each reader gets a job's events
/// in their order and without a gap, some perhaps twice; nobody who is slow or away holds up anything else.
@NullMarked
package nocturne.service.publish;

import org.jspecify.annotations.NullMarked;
