package nocturne.adapter;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// The PEFT settings that diffusers stores beside lora_A / lora_B tensors, in the header under `lora_adapter_metadata`.
///
/// Source: `LoraConfig` and `get_pattern_key` of PEFT; `load_lora_adapter` of diffusers.
///
/// @param rank          the common rank
/// @param alpha         the common alpha
/// @param rankStabilised whether the scale is `alpha / sqrt(rank)`, as in arXiv:2312.03732
/// @param ranks         ranks of modules that differ, by the end of their name
/// @param alphas        alphas of modules that differ, by the end of their name
record PeftSettings(
        int rank, double alpha, boolean rankStabilised, Map<String, Double> ranks, Map<String, Double> alphas) {
    static final String HEADER_KEY = "lora_adapter_metadata";

    private static final JsonMapper JSON = new JsonMapper();

    /// Settings that cannot be honoured; the message says which.
    static final class Unusable extends Exception {
        private static final long serialVersionUID = 1L;

        Unusable(String what) {
            super(what);
        }
    }

    /// @return empty if the header has no settings, or none for the transformer
    static Optional<PeftSettings> of(Map<String, String> metadata) throws Unusable {
        String text = metadata.get(HEADER_KEY);
        if (text == null) return Optional.empty();
        JsonNode all;
        try {
            all = JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new Unusable("is not well-formed JSON");
        }
        if (all == null || !all.isObject()) throw new Unusable("is not a JSON object");
        String prefix = all.has("transformer.r") || all.has("transformer.lora_alpha") ? "transformer." : "";
        JsonNode rank = all.path(prefix + "r");
        JsonNode alpha = all.path(prefix + "lora_alpha");
        if (rank.isMissingNode() && alpha.isMissingNode()) return Optional.empty();
        if (!rank.isInt() || rank.intValue() < 1) throw new Unusable("has the rank %s".formatted(rank));
        if (!alpha.isNumber()) throw new Unusable("has the alpha %s".formatted(alpha));
        if (all.path(prefix + "use_dora").asBoolean(false)) throw new Unusable("asks for DoRA, which is not supported");
        return Optional.of(new PeftSettings(rank.intValue(), alpha.doubleValue(),
                all.path(prefix + "use_rslora").asBoolean(false),
                pattern(all.path(prefix + "rank_pattern")), pattern(all.path(prefix + "alpha_pattern"))));
    }

    /// The rank that the settings promise for a module.
    int rankOf(String module) {
        return ranks.entrySet().stream().filter(entry -> matches(entry.getKey(), module)).findFirst()
                .map(entry -> entry.getValue().intValue()).orElse(rank);
    }

    /// `alpha / rank` of a module, or `alpha / sqrt(rank)` where the settings say so.
    double scaleOf(String module) {
        double own = alphas.entrySet().stream().filter(entry -> matches(entry.getKey(), module)).findFirst()
                .map(Map.Entry::getValue).orElse(alpha);
        return own / (rankStabilised ? Math.sqrt(rankOf(module)) : rankOf(module));
    }

    private static Map<String, Double> pattern(JsonNode node) throws Unusable {
        Map<String, Double> values = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : node.properties()) {
            // PEFT takes these as regular expressions. Names are all that its writers put there, and a stranger's
            // expression could keep us busy for years, so anything beyond a name is refused.
            String name = entry.getKey().replace("\\.", ".").replaceFirst("^\\^", "").replaceFirst("\\$$", "");
            if (!name.matches("[A-Za-z0-9_.]+")) throw new Unusable("has the pattern " + entry.getKey());
            if (!entry.getValue().isNumber() || !(entry.getValue().doubleValue() > 0)) {
                throw new Unusable("has %s for %s".formatted(entry.getValue(), entry.getKey()));
            }
            values.put(name, entry.getValue().doubleValue());
        }
        return values;
    }

    private static boolean matches(String name, String module) {
        return module.equals(name) || module.endsWith("." + name);
    }
}
