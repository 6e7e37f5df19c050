/// Opens, bounds and inspects what was dropped: a folder or a zip with pictures, captions and at most one recipe.
///
/// Invariants: a zip writes only below the folder it was given, and only files that were checked first; what it may
/// cost is bounded by counting, never by believing its headers. An extracted folder has its final name only when it is
/// complete. What a stranger dropped is opened once, never through a link, and copied before it is looked at. Nothing
/// here reads a recipe or decodes a picture.
@NullMarked
package nocturne.bundle;

import org.jspecify.annotations.NullMarked;
