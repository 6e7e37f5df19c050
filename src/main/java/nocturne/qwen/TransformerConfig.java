package nocturne.qwen;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;

/// The sizes of a Qwen-Image transformer, as in `transformer/config.json`.
///
/// @param layers     dual-stream blocks
/// @param heads      attention heads
/// @param headDim    features of a head; the sum of `axes`
/// @param textWidth  width of the text encoder's embeddings
/// @param tokenWidth features of a packed latent token: 16 channels times 2 x 2
/// @param axes       rotary features of the frame, row and column axis
/// @param zeroCondT  control tokens are modulated as if at noise level 0 (Qwen-Image-Edit-2511)
public record TransformerConfig(int layers, int heads, int headDim, int textWidth, int tokenWidth, List<Integer> axes,
        boolean zeroCondT) {
    public TransformerConfig {
        axes = List.copyOf(axes);
    }

    /// The model width D.
    public int width() {
        return heads * headDim;
    }

    /// The hidden width of the feed-forward parts.
    public int mlpWidth() {
        return 4 * width();
    }

    public TransformerConfig withZeroCondT(boolean zeroCondT) {
        return new TransformerConfig(layers, heads, headDim, textWidth, tokenWidth, axes, zeroCondT);
    }

    /// @throws UserMistake `MODEL_INVALID`, all problems of the file at once
    public static TransformerConfig read(Path file) {
        try {
            return of(new ObjectMapper().readTree(Files.readString(file)), file.toString());
        } catch (JsonProcessingException broken) {
            throw new UserMistake("MODEL_INVALID", file.toString(), "is not JSON: " + broken.getOriginalMessage());
        } catch (IOException unreadable) {
            throw new UserMistake("MODEL_INVALID", file.toString(),
                    "cannot be read; a model folder needs transformer/config.json");
        }
    }

    /// @param where the file's name, for messages
    public static TransformerConfig of(JsonNode json, String where) {
        List<Problem> problems = new ArrayList<>();
        int layers = size(json, "num_layers", where, problems);
        int heads = size(json, "num_attention_heads", where, problems);
        int headDim = size(json, "attention_head_dim", where, problems);
        int textWidth = size(json, "joint_attention_dim", where, problems);
        int tokenWidth = size(json, "in_channels", where, problems);
        List<Integer> axes = new ArrayList<>();
        json.path("axes_dims_rope").forEach(axis -> axes.add(axis.asInt()));
        boolean axesFit = axes.size() == 3 && axes.stream().mapToInt(Integer::intValue).sum() == headDim
                && axes.stream().allMatch(axis -> axis > 0 && axis % 2 == 0);
        if (!axesFit) {
            problems.add(new Problem("MODEL_INVALID", where + " axes_dims_rope",
                    "%s is not allowed; three even numbers that add up to attention_head_dim %d"
                            .formatted(axes, headDim)));
        }
        for (String unsupported : List.of("guidance_embeds", "use_additional_t_cond", "use_layer3d_rope")) {
            if (json.path(unsupported).asBoolean(false)) {
                problems.add(new Problem("MODEL_INVALID", where + " " + unsupported,
                        "true is not supported: this is not a Qwen-Image or Qwen-Image-Edit transformer"));
            }
        }
        if (!problems.isEmpty()) {
            throw new UserMistake(where + " does not describe a Qwen-Image transformer.", problems);
        }
        return new TransformerConfig(layers, heads, headDim, textWidth, tokenWidth, axes,
                json.path("zero_cond_t").asBoolean(false));
    }

    private static int size(JsonNode json, String key, String where, List<Problem> problems) {
        JsonNode value = json.path(key);
        if (value.isInt() && value.asInt() > 0 && value.asInt() <= 1 << 20) return value.asInt();
        problems.add(new Problem("MODEL_INVALID", where + " " + key,
                (value.isMissingNode() ? "is missing" : value + " is not allowed") + "; a whole number above 0"));
        return 1;
    }
}
