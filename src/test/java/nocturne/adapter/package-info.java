/// Adapters are read in every dialect and written so that every reader agrees.
@NullMarked
package nocturne.adapter;

import org.jspecify.annotations.NullMarked;
