/// The adapters a user downloads, and the files they travel in.
///
/// Invariants: module names are the model's own paths (`transformer_blocks.3.attn.to_q`), whatever the file calls them.
/// No tensor of a file is passed over in silence: each one is used, or the file is refused and the tensor named. A file
/// that this package wrote has been read back and found equal before it got its name. Nothing here knows a device.
@NullMarked
package nocturne.adapter;

import org.jspecify.annotations.NullMarked;
