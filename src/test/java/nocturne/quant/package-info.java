@NullMarked
package nocturne.quant;

import org.jspecify.annotations.NullMarked;
