@NullMarked
package nocturne.hub;

import org.jspecify.annotations.NullMarked;
