package nocturne.adapter;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// The linear layers of a Qwen-Image transformer. Those that an adapter of ours may change are in the blocks, fourteen
/// in each.
///
/// Source: `target_modules` of the reference trainer, ai-toolkit; names are those of diffusers.
public final class LoraTargets {
    private static final List<String> ATTENTION = List.of(
            "attn.to_q", "attn.to_k", "attn.to_v", "attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj",
            "attn.to_out.0", "attn.to_add_out");

    private static final int SINUSOID = 256;

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

    /// The layers outside the blocks, which nothing that we train changes; recovery adapters may.
    ///
    /// @param textWidth  of the text encoder's features
    /// @param tokenWidth of a picture's packed latents
    public static SequencedMap<String, LinearShape> outside(int width, int textWidth, int tokenWidth) {
        SequencedMap<String, LinearShape> linears = new LinkedHashMap<>();
        linears.put("time_text_embed.timestep_embedder.linear_1", new LinearShape(width, SINUSOID));
        linears.put("time_text_embed.timestep_embedder.linear_2", new LinearShape(width, width));
        linears.put("img_in", new LinearShape(width, tokenWidth));
        linears.put("txt_in", new LinearShape(width, textWidth));
        linears.put("norm_out.linear", new LinearShape(2 * width, width));
        linears.put("proj_out", new LinearShape(tokenWidth, width));
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
