package nocturne.recipe;

import java.util.List;

/// Prompts that are drawn where a recipe with a trigger word names none: a face, a whole figure, and the word alone.
public enum PromptSet implements Spelled {
    STANDARD("standard", "[trigger], portrait, smiling, high quality",
            "[trigger], full body, standing, photorealistic", "[trigger]"),
    /// In the order quality, subject, details, camera, lighting, and with the words that make Qwen-Image draw skin.
    REALISM("realism", "photorealistic, [trigger], portrait, 85mm, natural lighting, natural skin texture, 8K",
            "photorealistic, [trigger], full body, standing, natural lighting, natural skin texture, 8K",
            "[trigger], natural skin texture, 8K");

    private final String spellings;
    private final List<String> prompts;

    PromptSet(String spellings, String... prompts) {
        this.spellings = spellings;
        this.prompts = List.of(prompts);
    }

    @Override
    public String spellings() {
        return spellings;
    }

    /// With `[trigger]` in them.
    List<String> prompts() {
        return prompts;
    }

    /// The one that shows what a dataset's tag stands for.
    String promptOf(String tag) {
        return "[trigger], " + tag + switch (this) {
            case STANDARD -> ", high quality";
            case REALISM -> ", photorealistic, detailed skin, natural lighting";
        };
    }
}
