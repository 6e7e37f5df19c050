/// The promise table (docs/promises.md) as a test report: which test proves which row, and how it ended.
@NullMarked
package nocturne.promise;

import org.jspecify.annotations.NullMarked;
