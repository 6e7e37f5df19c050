/// The whole service in a minute: a broker, a service, two jobs, and what is heard of them.
///
/// Invariants: everything is real (the broker, the service, the trainer, the client that listens) and ends when the
/// demonstration ends, however that comes about; jobs that were interrupted go on the next time.
@NullMarked
package nocturne.desk.demo;

import org.jspecify.annotations.NullMarked;
