/// Files are read only if they are sound, and written so that they are.
@NullMarked
package nocturne.io;

import org.jspecify.annotations.NullMarked;
