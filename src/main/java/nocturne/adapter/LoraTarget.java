package nocturne.adapter;

/// A linear layer of the base model that can carry a LoRA.
///
/// @param module its name in the model files, such as `transformer_blocks.0.attn.to_q`
public record LoraTarget(String module, int in, int out) {}
