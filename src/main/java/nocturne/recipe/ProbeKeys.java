package nocturne.recipe;

import static nocturne.recipe.Key.flag;
import static nocturne.recipe.Key.number;
import static nocturne.recipe.Key.path;
import static nocturne.recipe.Key.some;
import static nocturne.recipe.Key.text;
import static nocturne.recipe.Key.textOrEmpty;
import static nocturne.recipe.Key.whole;

import java.util.List;

/// `probe`: the pictures drawn with the recommended checkpoint when training is over.
final class ProbeKeys {
    private static final int LONGEST_TEXT = 5000;
    private static final int MOST = 6;

    static final Key<Boolean> ENABLED = Key.of("enabled", flag(),
                    "Draw the recommended checkpoint over a grid of settings when training is over.")
            .follows("= whether samples are drawn", "S2-74")
            .why("One sheet shows at which guidance and strength the LoRA is sound, so that choosing takes minutes. As"
                    + " it is, it draws 19 pictures; ./nocturne check counts them in. The adapter is complete before"
                    + " it begins, and no failure of it is one of the job.")
            .works(true, false);
    static final Key<List<Double>> GUIDANCE_SCALES = Key.of("guidance_scales", some(number(0, 30), 1, MOST),
                    "Rows of the grid.")
            .standard(List.of(3.0, 3.5, 4.0), "S2-74")
            .why("A good LoRA holds from 3 to 4.")
            .works(List.of(3.0, 3.5, 4.0));
    static final Key<List<Double>> STRENGTHS = Key.of("strengths", some(number(-10, 10), 1, MOST),
                    "Columns of the grid: how much of the adapter is used; 1 is as trained.")
            .standard(List.of(0.6, 0.8, 1.0), "S2-74")
            .why("A good LoRA holds from 0.6 to 1.")
            .works(List.of(0.6, 0.8, 1.0));
    static final Key<Integer> SEEDS = Key.of("seeds", whole(1, 20),
                    "How many starting noises are tried; 1 is the prompt's own alone.")
            .standard(3, "S2-68")
            .why("One good picture may be luck.")
            .works(1, 3);
    static final Key<String> PROMPT = Key.of("prompt", text(LONGEST_TEXT),
                    "What the grid shows. Size, seed and steps are those of the sample with the same text, or of the"
                            + " first.")
            .follows("= the first sample with the trigger word, or the first", "S2-74")
            .why("The prompt you know from the samples shows best what the settings change.")
            .works("[trigger], portrait, soft window light");
    static final Key<String> WITHOUT_TRIGGER = Key.of("without_trigger", textOrEmpty(LONGEST_TEXT),
                    "What is drawn without the trigger word, at every strength and by the bare model; empty for"
                            + " nothing.")
            .follows("= the first sample without the trigger word, or the prompt with the word left out", "S1-73")
            .why("It should look as the bare model draws it. How far it moves is measured, and where that is half as"
                    + " far as with the word, the report advises.")
            .works("portrait of a woman, soft window light", "");
    static final Key<List<String>> PROMPTS = Key.of("prompts", some(text(LONGEST_TEXT), 0, 20),
                    "Other prompts, each drawn once.")
            .follows("three of other scenes, where there is a trigger word and nothing is edited", "S2-71")
            .why("A LoRA that only repeats its pictures shows here.")
            .works(List.of(), List.of("[trigger] reading a newspaper in a café"));

    static final Key<String> SECOND_LORA = Key.of("second_lora", path(),
                    "Another LoRA file of the bundle, drawn alone and together with the new one.")
            .why("People stack a style on a character; this shows whether the two get along. Its rank may be at most"
                    + " network.linear, and its layers among those that are trained.")
            .works("styles/watercolour.safetensors");

    static final Block BLOCK = Block.of("probe",
            List.of(ENABLED, GUIDANCE_SCALES, STRENGTHS, SEEDS, PROMPT, WITHOUT_TRIGGER, PROMPTS, SECOND_LORA),
            List.of(),
            List.of());

    private ProbeKeys() {}
}
