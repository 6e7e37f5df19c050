package nocturne.qwen;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import nocturne.problem.UserMistake;

/// The sizes of the language model of Qwen2.5-VL, as in `text_encoder/config.json`.
///
/// @param vocabulary   rows of the embedding table
/// @param width        features of a token
/// @param layers       decoder layers
/// @param heads        query heads
/// @param kvHeads      key and value heads, a divisor of `heads`
/// @param headDim      features of a head, even
/// @param mlpWidth     hidden width of the feed-forward part
/// @param rmsEps       added to the mean square in every norm
/// @param ropeTheta    base of the rotary frequencies
/// @param ropeSections how many of the `headDim / 2` frequencies follow a token's time, row and column
/// @param imageToken   id of the token that stands for a piece of a picture
public record TextEncoderConfig(int vocabulary, int width, int layers, int heads, int kvHeads, int headDim,
        int mlpWidth, float rmsEps, double ropeTheta, List<Integer> ropeSections, int imageToken) {
    public TextEncoderConfig {
        ropeSections = List.copyOf(ropeSections);
    }

    /// @param file `config.json`: flat as released with Qwen-Image, or with the language model under `text_config`
    /// @throws UserMistake `MODEL_INVALID`, all problems of the file at once
    public static TextEncoderConfig read(Path file) {
        return of(ConfigReader.open(file));
    }

    /// @param where the file's name, for messages
    static TextEncoderConfig of(JsonNode json, String where) {
        return of(new ConfigReader(json, where));
    }

    private static TextEncoderConfig of(ConfigReader whole) {
        ConfigReader text = whole.inside("text_config");
        // Newer files put base and sections together; older ones keep the base outside.
        ConfigReader rope = text.inside(text.has("rope_parameters") ? "rope_parameters" : "rope_scaling");
        int heads = text.size("num_attention_heads");
        int width = text.size("hidden_size");
        int kvHeads = text.size("num_key_value_heads");
        int headDim = text.has("head_dim") ? text.size("head_dim") : width / heads;
        List<Integer> sections = rope.wholeNumbers("mrope_section");
        text.expect("hidden_act", "silu");
        text.expect("use_sliding_window", "false");
        text.require(text.has("head_dim") || width % heads == 0, "hidden_size",
                "%d is not a multiple of the %d heads".formatted(width, heads));
        text.require(heads % kvHeads == 0, "num_key_value_heads", kvHeads + " does not divide " + heads + " heads");
        int turned = 2 * sections.stream().mapToInt(s -> s).sum();
        rope.require(sections.size() == 3 && turned == headDim, "mrope_section",
                "%s is not allowed; three numbers that add up to half of %d".formatted(sections, headDim));
        TextEncoderConfig config = new TextEncoderConfig(text.size("vocab_size"), width,
                text.size("num_hidden_layers"), heads, kvHeads, headDim, text.size("intermediate_size"),
                (float) text.positive("rms_norm_eps"),
                (rope.has("rope_theta") ? rope : text).positive("rope_theta"), sections, whole.size("image_token_id"));
        whole.requireSound("Qwen2.5-VL text encoder");
        return config;
    }
}
