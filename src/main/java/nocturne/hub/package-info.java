/// Models as a hub knows them: what they are called, which of their files make up a pipeline, where they lie in the
/// cache of other programs on this machine, and how they are fetched.
///
/// Start with [nocturne.hub.ModelId], [nocturne.hub.Pipeline] and [nocturne.hub.Pull].
///
/// Invariants: nothing is fetched unless [nocturne.hub.Pull] is asked to; a name, a path or an address from a hub is
/// checked before it is used; a file has its name only when its hash was right and it is on the disk; the token goes
/// to the endpoint and to nobody else.
@NullMarked
package nocturne.hub;

import org.jspecify.annotations.NullMarked;
