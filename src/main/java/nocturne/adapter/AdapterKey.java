package nocturne.adapter;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A key of an adapter file, understood: a module of the model and what the tensor is to it.
///
/// Key = prefix + module + ending. Source for the accepted forms: the key maps of ComfyUI and of diffusers' converter.
record AdapterKey(String module, Part part) {

    /// What a tensor is to its module.
    enum Part {
        /// A of LoRA, `[rank, in]`.
        DOWN,
        /// B of LoRA, `[out, rank]`.
        UP,
        /// Scalar; the effective scale is alpha / rank.
        ALPHA,
        W1, W1_A, W1_B, W2, W2_A, W2_B
    }

    private record Ending(String text, Part part, boolean peft) {}

    private static final List<Ending> ENDINGS = List.of(
            new Ending(".lora_A.weight", Part.DOWN, true), new Ending(".lora_B.weight", Part.UP, true),
            new Ending(".lora_A.default.weight", Part.DOWN, true), new Ending(".lora_B.default.weight", Part.UP, true),
            new Ending(".lora_A", Part.DOWN, true), new Ending(".lora_B", Part.UP, true),
            new Ending(".lora_down.weight", Part.DOWN, false), new Ending(".lora_up.weight", Part.UP, false),
            new Ending("_lora.down.weight", Part.DOWN, false), new Ending("_lora.up.weight", Part.UP, false),
            new Ending(".lora.down.weight", Part.DOWN, false), new Ending(".lora.up.weight", Part.UP, false),
            new Ending(".lora_linear_layer.down.weight", Part.DOWN, false),
            new Ending(".lora_linear_layer.up.weight", Part.UP, false),
            new Ending(".alpha", Part.ALPHA, false),
            new Ending(".lokr_w1", Part.W1, false), new Ending(".lokr_w1_a", Part.W1_A, false),
            new Ending(".lokr_w1_b", Part.W1_B, false), new Ending(".lokr_w2", Part.W2, false),
            new Ending(".lokr_w2_a", Part.W2_A, false), new Ending(".lokr_w2_b", Part.W2_B, false));

    /// Tensors of kinds we do not read, so that the message can say which. Dropping them would change the pictures.
    private static final Map<String, String> FOREIGN = Map.ofEntries(
            Map.entry(".dora_scale", "DoRA"), Map.entry(".lora_magnitude_vector", "DoRA"),
            Map.entry(".lora_magnitude_vector.weight", "DoRA"), Map.entry(".lora_mid.weight", "a Tucker core"),
            Map.entry(".lokr_t2", "a Tucker core"), Map.entry(".hada_w1_a", "LoHa"), Map.entry(".hada_w1_b", "LoHa"),
            Map.entry(".hada_w2_a", "LoHa"), Map.entry(".hada_w2_b", "LoHa"), Map.entry(".oft_blocks", "OFT"),
            Map.entry(".oft_R.weight", "OFT"), Map.entry(".a1.weight", "GLoRA"), Map.entry(".a2.weight", "GLoRA"),
            Map.entry(".b1.weight", "GLoRA"), Map.entry(".b2.weight", "GLoRA"),
            Map.entry(".diff", "a full weight difference"), Map.entry(".diff_b", "a bias difference"),
            Map.entry(".set_weight", "a replaced weight"), Map.entry(".reshape_weight", "a reshaped weight"),
            Map.entry(".lora_B.bias", "a LoRA bias"), Map.entry(".w_norm", "a norm difference"),
            Map.entry(".b_norm", "a norm difference"));

    private static final List<String> DOTTED_PREFIXES =
            List.of("", "diffusion_model.", "transformer.", "model.diffusion_model.");
    private static final List<String> FLAT_PREFIXES = List.of("lora_unet_", "lycoris_");
    private static final List<String> TEXT_ENCODERS = List.of("text_encoder", "lora_te", "text_model");

    /// What a key may be: understood, or not and why.
    ///
    /// @param key    null if the key was not understood
    /// @param peft   whether it has the lora_A / lora_B form
    /// @param reason why not; empty if it was understood
    record Reading(@Nullable AdapterKey key, boolean peft, String reason) {}

    /// Reads keys for one model.
    static final class Grammar {
        private final Map<String, LinearShape> legal;
        private final Map<String, String> flattened = new HashMap<>();

        Grammar(Map<String, LinearShape> legal) {
            this.legal = legal;
            for (String module : legal.keySet()) flattened.put(module.replace('.', '_'), module);
        }

        Reading read(String key) {
            for (String prefix : TEXT_ENCODERS) {
                if (key.startsWith(prefix)) {
                    return refused("adapts the text encoder; only the transformer can be adapted");
                }
            }
            for (Ending ending : ENDINGS) {
                if (!key.endsWith(ending.text)) continue;
                String path = key.substring(0, key.length() - ending.text.length());
                return module(path)
                        .map(module -> new Reading(new AdapterKey(module, ending.part), ending.peft, ""))
                        .orElseGet(() -> refused("names a layer that this model does not have, or does not adapt"));
            }
            for (Map.Entry<String, String> ending : FOREIGN.entrySet()) {
                if (key.endsWith(ending.getKey())) {
                    return refused("is " + ending.getValue() + ", which is not supported");
                }
            }
            return refused("is no known kind of adapter tensor");
        }

        private Optional<String> module(String path) {
            for (String prefix : DOTTED_PREFIXES) {
                if (!path.startsWith(prefix)) continue;
                String module = path.substring(prefix.length());
                if (legal.containsKey(module)) return Optional.of(module);
            }
            for (String prefix : FLAT_PREFIXES) {
                if (!path.startsWith(prefix)) continue;
                String module = flattened.get(path.substring(prefix.length()));
                if (module != null) return Optional.of(module);
            }
            return Optional.empty();
        }

        private static Reading refused(String reason) {
            return new Reading(null, false, reason);
        }
    }
}
