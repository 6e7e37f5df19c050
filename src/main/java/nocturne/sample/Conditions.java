package nocturne.sample;

import java.util.List;
import nocturne.qwen.Grid;
import nocturne.qwen.PromptEmbedding;

/// What one picture is made from besides noise, encoded.
///
/// @param negative what the guidance leads away from; an embedding of the empty prompt where there is none
/// @param controls in the order the prompt speaks of them; empty for text to image
public record Conditions(PromptEmbedding prompt, PromptEmbedding negative, List<Control> controls) {
    public Conditions {
        controls = List.copyOf(controls);
    }

    /// One control picture as the transformer sees it.
    ///
    /// @param packed normalised latents, `[grid.tokens(), 64]`; the array is not copied
    public record Control(Grid grid, float[] packed) {
        public Control {
            if (packed.length % grid.tokens() != 0) {
                throw new IllegalArgumentException(packed.length + " numbers for " + grid.tokens() + " control tokens");
            }
        }
    }
}
