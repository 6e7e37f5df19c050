/// The Qwen-Image family: transformer, text encoder, vision tower, VAE, tokenizer, noise schedule, and how their
/// weights lie on disk. Says what is computed; how and where is the backend's business, so no class here knows
/// a device.
///
/// Invariants: the formulas are those of the released `transformers` and `diffusers` classes, and golden numbers from
/// those libraries hold every class to them; folders given to us are checked in full before anything is computed, and
/// everything wrong with them is told at once; prompts are never padded.
@NullMarked
package nocturne.qwen;

import org.jspecify.annotations.NullMarked;
