/// The Qwen-Image family: transformer, text encoder, vision tower, VAE, tokenizer, noise schedule, and how their weights
/// lie on disk. Says what is computed; how and where is the backend's business, so no class here knows a device.
@NullMarked
package nocturne.qwen;

import org.jspecify.annotations.NullMarked;
