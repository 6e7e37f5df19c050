/// Which test honours which row of the ledger of demands: `docs/ledger.md` is made from the annotations.
@NullMarked
package nocturne.ledger;

import org.jspecify.annotations.NullMarked;
