/// The whole service, real processes and a real broker, while somebody keeps killing it.
@NullMarked
package nocturne.service.storm;

import org.jspecify.annotations.NullMarked;
