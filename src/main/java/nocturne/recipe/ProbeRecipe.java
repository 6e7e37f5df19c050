package nocturne.recipe;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import nocturne.recipe.ProbeShot.Part;
import org.jspecify.annotations.Nullable;

/// What is drawn with the recommended checkpoint when training is over, so that a person can choose in minutes.
///
/// @param prompt         of the grid, with its size, seed and settings; its guidance and strength are replaced
/// @param withoutTrigger what to draw without the trigger word; empty for nothing
/// @param guidanceScales rows of the grid
/// @param strengths      columns of the grid
/// @param seeds          how many starting noises are tried, the prompt's own among them
/// @param prompts        other prompts to try
/// @param secondLora     another LoRA of the bundle to stack on it; null for none
public record ProbeRecipe(SamplePrompt prompt, String withoutTrigger, List<Double> guidanceScales,
                          List<Double> strengths, int seeds, List<String> prompts,
                          @Nullable String secondLora) {
    public ProbeRecipe {
        guidanceScales = List.copyOf(new LinkedHashSet<>(guidanceScales));
        strengths = List.copyOf(new LinkedHashSet<>(strengths));
        prompts = List.copyOf(prompts);
        Require.that(!guidanceScales.isEmpty(), "a guidance scale", guidanceScales);
        Require.that(!strengths.isEmpty(), "a strength", strengths);
        Require.that(seeds >= 1, "seeds >= 1", seeds);
    }

    /// Every text that is drawn, once: the grid's prompt, the one without the trigger word if any, the others.
    public List<SamplePrompt> texts() {
        List<SamplePrompt> texts = new ArrayList<>(List.of(prompt));
        if (!withoutTrigger.isEmpty()) texts.add(prompt.saying(withoutTrigger));
        for (String other : prompts) texts.add(prompt.saying(other));
        return texts;
    }

    /// The grid's scale that is nearest to the prompt's own: what the other pictures are drawn at.
    public double usualGuidance() {
        return nearest(guidanceScales, prompt.guidanceScale());
    }

    /// The grid's strength that is nearest to 1.
    public double usualStrength() {
        return nearest(strengths, 1);
    }

    private static double nearest(List<Double> values, double wanted) {
        return values.stream().min(Comparator.comparingDouble(value -> Math.abs(value - wanted))).orElseThrow();
    }

    /// Every picture, what tells most first.
    public List<ProbeShot> shots() {
        List<ProbeShot> shots = new ArrayList<>();
        double guidance = usualGuidance();
        double strength = usualStrength();
        for (double scale : guidanceScales) {
            for (double each : strengths) {
                shots.add(new ProbeShot(Part.GRID, "cfg%s_strength%s".formatted(scale, each), 0,
                        prompt.at(scale, each, prompt.seed())));
            }
        }
        shots.add(new ProbeShot(Part.BASE, "base", 0, prompt.at(guidance, 0, prompt.seed())));
        int text = 1;
        if (!withoutTrigger.isEmpty()) {
            SamplePrompt without = prompt.saying(withoutTrigger);
            for (double each : strengths) {
                shots.add(new ProbeShot(Part.WITHOUT_TRIGGER, "without_trigger_strength%s".formatted(each), text,
                        without.at(guidance, each, prompt.seed())));
            }
            shots.add(new ProbeShot(Part.WITHOUT_TRIGGER, "without_trigger_base", text,
                    without.at(guidance, 0, prompt.seed())));
            text++;
        }
        for (int i = 1; i < seeds; i++) {
            long seed = prompt.seed() + i & Kind.Seed.MOST;
            shots.add(new ProbeShot(Part.SEEDS, "seed" + seed, 0, prompt.at(guidance, strength, seed)));
        }
        for (int i = 0; i < prompts.size(); i++) {
            shots.add(new ProbeShot(Part.PROMPTS, "prompt" + (i + 1), text + i,
                    prompt.saying(prompts.get(i)).at(guidance, strength, prompt.seed())));
        }
        if (secondLora != null) {
            shots.add(new ProbeShot(Part.SECOND_LORA, "second_lora", 0,
                    prompt.at(guidance, strength, prompt.seed())));
            shots.add(new ProbeShot(Part.SECOND_LORA, "second_lora_alone", 0,
                    prompt.at(guidance, 0, prompt.seed())));
        }
        return shots;
    }
}
