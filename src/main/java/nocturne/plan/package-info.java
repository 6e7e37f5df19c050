/// Says what a bundle is, and whether it can be trained here, before anything is spent on it.
///
/// Invariants: looks at files and recipes only; loads no model and decodes no more of a picture than it must; tells all
/// problems at once.
@NullMarked
package nocturne.plan;

import org.jspecify.annotations.NullMarked;
