/// Pictures from prompts: the denoising loop, its guidance, and the way from a request to a picture.
///
/// Invariants: a picture is a function of the model, the request and its seed, the same bits on the same device. The
/// loop knows the model only as a [nocturne.sample.Denoiser], and prompts and control pictures only encoded, so that
/// the encoders need not be in memory while it runs.
@NullMarked
package nocturne.sample;

import org.jspecify.annotations.NullMarked;
