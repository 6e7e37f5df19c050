/// What a run will take of a device's memory, part by part and phase by phase, and what follows from that for where
/// weights lie and what blocks keep.
///
/// Counted by doing it: the model's own code runs on a [nocturne.tensor.Backend#rehearsal], which takes memory as the
/// real device does and has none. Needs no device and no weights, only the sizes in the model's `config.json` files.
@NullMarked
package nocturne.memory;

import org.jspecify.annotations.NullMarked;
