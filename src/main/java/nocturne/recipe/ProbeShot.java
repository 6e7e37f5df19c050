package nocturne.recipe;

/// One picture of the probe.
///
/// @param part    what it belongs to
/// @param name    of its file, without ending; no two of a probe are the same
/// @param text    which of [ProbeRecipe#texts]
/// @param picture what is drawn; at strength 0 without the adapter
public record ProbeShot(Part part, String name, int text, SamplePrompt picture) {
    /// What a picture is there to show.
    public enum Part {
        /// Guidance against strength.
        GRID,
        /// What the bare model draws from the same words and noise.
        BASE,
        /// The same without the trigger word.
        WITHOUT_TRIGGER,
        /// Other noise.
        SEEDS,
        /// Other words.
        PROMPTS,
        /// The recipe's other LoRA at full strength, with this one and without.
        SECOND_LORA
    }

    /// Whether it is the bare model's.
    public boolean isBare() {
        return picture.strength() == 0 && part != Part.SECOND_LORA;
    }
}
