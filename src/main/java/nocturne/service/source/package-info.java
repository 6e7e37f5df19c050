/// Bundles that are named by an address instead of being sent: `file:`, `https:`, `s3:`.
///
/// Invariants: nothing is read and nobody is contacted that the operator has not listed; what is checked is what is
/// used (an address is resolved once, a file opened once); what arrives is bounded in size and time and has the hash
/// it was announced with, or it is gone again; no error tells more of an address than its host and path.
@NullMarked
package nocturne.service.source;

import org.jspecify.annotations.NullMarked;
