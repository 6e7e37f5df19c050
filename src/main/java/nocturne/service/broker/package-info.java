/// A real Kafka broker in a process of its own, for the demo and the tests: nothing to install, nothing left behind.
///
/// Invariants: it answers on this machine only; it ends with the process that started it, however that ends; none of
/// its classes is loaded into the service.
@NullMarked
package nocturne.service.broker;

import org.jspecify.annotations.NullMarked;
