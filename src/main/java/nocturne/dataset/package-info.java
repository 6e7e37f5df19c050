/// Pictures, captions, buckets, order and caches: what a training run learns from.
///
/// Invariants: a [nocturne.dataset.Dataset] exists only if every picture in it was decoded once without complaint, and
/// nothing was changed without a notice. Which samples a micro-batch holds is a function of the seed and the
/// micro-batch's number, nothing else. A cache entry is used only after its hash was checked. Nothing here knows a
/// model: what is cached, and how pictures are scaled, comes from the caller.
@NullMarked
package nocturne.dataset;

import org.jspecify.annotations.NullMarked;
