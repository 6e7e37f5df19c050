/// What a person at a terminal sees of the service, and how the person tells it something: reading `work/` while a
/// service may be at work there, and putting files into its inbox.
///
/// Invariants: nothing under `work/` or `outbox/` is written here (but for the doctor's trial file, which is gone at
/// once), no lock is taken; everything a stranger may have chosen is printed without its control characters; loads no
/// model.
@NullMarked
package nocturne.desk;

import org.jspecify.annotations.NullMarked;
