/// What the golden tests share.
@NullMarked
package nocturne.golden;

import org.jspecify.annotations.NullMarked;
