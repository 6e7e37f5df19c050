package nocturne.image;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/// How a sample picture came about: everything needed to draw it again, carried inside its file.
///
/// @param prompt         what was asked for, the trigger already in place
/// @param negativePrompt what was to be avoided; may be empty
/// @param seed           of the starting noise
/// @param step           optimizer updates the adapter had seen; 0 is the base without training
/// @param samplingSteps  denoising steps
/// @param guidanceScale  classifier-free guidance strength
/// @param width          pixels
/// @param height         pixels
/// @param loraStrength   factor on the adapter's scale, 1 is as trained
/// @param checkpoint     file name of the adapter, or a name for the untrained base
public record Generation(String prompt, String negativePrompt, long seed, long step, int samplingSteps,
                         double guidanceScale, int width, int height, double loraStrength, String checkpoint) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /// The texts for [PngWriter]: `parameters`, the line that most viewers of generated pictures show and parse
    /// (prompt, negative prompt and settings, one below the other), and `nocturne`, the same as exact JSON.
    public SequencedMap<String, String> texts() {
        SequencedMap<String, String> texts = new LinkedHashMap<>();
        texts.put("parameters", parameters());
        texts.put("nocturne", json());
        return texts;
    }

    /// The line of settings that viewers show.
    public String parameters() {
        StringBuilder text = new StringBuilder(prompt);
        if (!negativePrompt.isBlank()) text.append("\nNegative prompt: ").append(negativePrompt);
        text.append("\nSteps: ").append(samplingSteps)
                .append(", Sampler: Euler, Schedule type: Simple, CFG scale: ").append(number(guidanceScale))
                .append(", Seed: ").append(seed)
                .append(", Size: ").append(width).append('x').append(height)
                .append(", Lora: ").append(quotedWhereNeeded(checkpoint))
                .append(", Lora strength: ").append(number(loraStrength))
                .append(", Training step: ").append(step);
        return text.toString();
    }

    private String json() {
        ObjectNode node = JSON.createObjectNode();
        node.put("prompt", prompt)
                .put("negative", negativePrompt)
                .put("seed", seed)
                .put("step", step)
                .put("steps", samplingSteps)
                .put("guidance", guidanceScale);
        node.putArray("size").add(width).add(height);
        node.put("strength", loraStrength).put("checkpoint", checkpoint);
        return write(node);
    }

    /// Readers split the line at commas and colons; a value that holds one is a JSON string.
    private static String quotedWhereNeeded(String value) {
        boolean plain = value.chars().noneMatch(c -> c == ',' || c == ':' || c == '"' || c < 0x20);
        return plain ? value : write(value);
    }

    private static String write(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static String number(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15 ? Long.toString((long) value)
                : Double.toString(value);
    }
}
