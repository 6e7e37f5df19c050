package nocturne.adapter;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// The linear layers of a Qwen-Image transformer that an adapter may change: fourteen in every block, none outside.
///
/// Source: `target_modules` of the reference trainer, ai-toolkit; names are those of diffusers.
public final class LoraTargets {
    private static final List<String> ATTENTION = List.of(
            "attn.to_q", "attn.to_k", "attn.to_v", "attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj",
            "attn.to_out.0", "attn.to_add_out");

    private LoraTargets() {}

    /// The fourteen layers inside one block, in the order in which the model meets their kinds.
    ///
    /// @param width the model's width, heads times head size; the hidden layers of the MLPs are four times as wide
    public static SequencedMap<String, LinearShape> ofBlock(int width) {
        SequencedMap<String, LinearShape> linears = new LinkedHashMap<>();
        for (String name : ATTENTION) linears.put(name, new LinearShape(width, width));
        // Shift, scale and gate, for attention and for the MLP: six vectors from one.
        for (String stream : List.of("img_mod.1", "txt_mod.1")) linears.put(stream, new LinearShape(6 * width, width));
        for (String stream : List.of("img_mlp", "txt_mlp")) {
            linears.put(stream + ".net.0.proj", new LinearShape(4 * width, width));
            linears.put(stream + ".net.2", new LinearShape(width, 4 * width));
        }
        return linears;
    }

    /// All layers of a model by full name, `transformer_blocks.0.attn.to_q` first.
    public static SequencedMap<String, LinearShape> of(int layers, int width) {
        SequencedMap<String, LinearShape> targets = new LinkedHashMap<>();
        for (int layer = 0; layer < layers; layer++) {
            for (Map.Entry<String, LinearShape> linear : ofBlock(width).entrySet()) {
                targets.put("transformer_blocks." + layer + "." + linear.getKey(), linear.getValue());
            }
        }
        return targets;
    }
}
