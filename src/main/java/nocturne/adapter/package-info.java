/// LoRA and its relatives: the parameters in training, and the files other tools read.
///
/// Invariants: an adapter file holds nothing that is needed to resume; every file written is read back and proven.
@NullMarked
package nocturne.adapter;

import org.jspecify.annotations.NullMarked;
