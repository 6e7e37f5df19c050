package nocturne.image;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;

class GenerationTest {
    private static final Generation SAMPLE = new Generation("an ohwx, \"blue\" background", "blurry", 42, 300, 28, 3.5,
            48, 80, 1.0, "ohwx_000000300.safetensors");

    /// The layout that viewers parse: prompt, then the negative prompt, then settings as `Name: value` pairs.
    @Test
    void theParametersLineIsTheOneViewersShow() {
        assertThat(SAMPLE.texts().get("parameters")).isEqualTo("""
                an ohwx, "blue" background
                Negative prompt: blurry
                Steps: 28, Sampler: Euler, Schedule type: Simple, CFG scale: 3.5, Seed: 42, Size: 48x80, \
                Lora: ohwx_000000300.safetensors, Lora strength: 1, Training step: 300""");
    }

    @Test
    void aBlankNegativePromptIsNotMentioned() {
        Generation blank = new Generation("x", " ", 1, 0, 28, 4, 64, 64, 0.75, "base");
        assertThat(blank.texts().get("parameters")).doesNotContain("Negative").contains("CFG scale: 4,",
                "Lora strength: 0.75");
    }

    @Test
    void aNameThatWouldSplitTheLineIsQuoted() {
        Generation odd = new Generation("x", "", 1, 0, 28, 4, 64, 64, 1, "a, b: \"c\"");
        assertThat(odd.texts().get("parameters")).contains("Lora: \"a, b: \\\"c\\\"\", Lora strength");
    }

    @Test
    void theJsonHoldsEverythingExactly() throws JsonProcessingException {
        JsonNode json = new ObjectMapper().readTree(SAMPLE.texts().get("nocturne"));
        assertThat(json.fieldNames()).toIterable().containsExactly("prompt", "negative", "seed", "step", "steps",
                "guidance", "size", "strength", "checkpoint");
        assertThat(json.get("prompt").asText()).isEqualTo("an ohwx, \"blue\" background");
        assertThat(json.get("seed").asLong()).isEqualTo(42);
        assertThat(json.get("guidance").asDouble()).isEqualTo(3.5);
        assertThat(json.get("size")).map(JsonNode::asInt).containsExactly(48, 80);
    }
}
