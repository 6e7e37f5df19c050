/// What others write to us: requests for jobs and wishes about them, the same on Kafka and as files in the inbox.
///
/// Invariants: a message is bounded before it is read; what is not understood is refused with every problem at once;
/// nothing in a message names a class of ours.
@NullMarked
package nocturne.service.message;

import org.jspecify.annotations.NullMarked;
