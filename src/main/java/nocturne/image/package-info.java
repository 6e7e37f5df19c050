/// Pictures as bytes: decoding, resampling, encoding. Knows no tensor, no model and no dataset.
@NullMarked
package nocturne.image;

import org.jspecify.annotations.NullMarked;
