/// How the service is: for people (`status.json`), for whoever restarts it (health), and for graphs (metrics).
///
/// Invariant: looking changes nothing, and needs nothing that could be stuck.
@NullMarked
package nocturne.service.health;

import org.jspecify.annotations.NullMarked;
