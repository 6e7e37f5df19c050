package nocturne.qwen;

/// What the language model makes of one prompt: the transformer's text input.
///
/// @param tokens rows: the prompt's tokens (pictures' included) and the template's closing ones, never padded
/// @param width  features of a token
/// @param rows   `[tokens, width]`, row-major; the array is not copied
public record PromptEmbedding(int tokens, int width, float[] rows) {
    public PromptEmbedding {
        if (tokens < 0 || rows.length != (long) tokens * width) {
            throw new IllegalArgumentException("%d numbers for %d tokens of %d".formatted(rows.length, tokens, width));
        }
    }
}
