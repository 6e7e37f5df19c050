/// Training: the loop, its parts, and what it leaves behind.
@NullMarked
package nocturne.train;

import org.jspecify.annotations.NullMarked;
