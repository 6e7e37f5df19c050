@NullMarked
package nocturne.service.publish;

import org.jspecify.annotations.NullMarked;
