/// The desk every bundle comes to, whichever door it came in by, and the desk for wishes about jobs.
///
/// Invariants: what is answered is durable; the same bundle is one job however often and through however many doors it
/// comes; nothing a bundle holds can end the service.
@NullMarked
package nocturne.service.intake;

import org.jspecify.annotations.NullMarked;
