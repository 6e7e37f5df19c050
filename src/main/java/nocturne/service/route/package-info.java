/// Camel inside the service: the routes of the folder, over Micronaut's beans and settings.
///
/// Invariants: routes hold no logic, only where things come from, where they go and which bean decides; nothing comes
/// in before what it needs is running.
@NullMarked
package nocturne.service.route;

import org.jspecify.annotations.NullMarked;
