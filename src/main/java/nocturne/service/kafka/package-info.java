/// Work by way of Kafka: requests are claimed, and from then on the job is this host's and Kafka only a witness.
///
/// Invariants: a request leaves the jobs topic in one transaction with the claim, the duplicate or the dead letter that
/// it became; a host is a member of the group only while it could start a job at once; no running job depends on a
/// membership, a connection or a broker; the claims topic alone says whose a job is, read to its end before anything is
/// decided by it. What holds a host back is said once, not at every try.
@NullMarked
package nocturne.service.kafka;

import org.jspecify.annotations.NullMarked;
