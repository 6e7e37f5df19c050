package nocturne.recipe;

import java.util.List;
import java.util.function.Predicate;

/// Comments on values that are allowed and unusual. Each row is one rule: its ledger id, the key it is about, when it
/// speaks and what it says.
///
/// Rates, ranks and lengths were gathered on the released 20-billion-parameter models, so those rows are silent for
/// any other.
final class Advice {
    private record Rule(String id, String path, Predicate<Recipe> speaks, String text) {}

    private static final List<Rule> RULES = List.of(
            new Rule("S2-17", "train.lr", released(r -> rate(r) > 5e-4),
                    "above 5e-4 characters are burnt, not learned; 2e-4 is the recipe's."),
            new Rule("S1-25", "train.lr", released(r -> rate(r) >= 4e-4 && rate(r) <= 5e-4),
                    "4e-4 and more is fast and easily overfits; 2e-4 is the recipe's."),
            new Rule("S2-14", "train.lr", released(r -> rate(r) < 5e-5),
                    "below 5e-5 a run may end before it has learned much."),
            new Rule("S2-09", "network.linear", released(r -> r.network().rank() >= 128),
                    "a rank of 128 or more learns backgrounds, light and lens as well; 16 suits a character."),
            new Rule("S1-20", "network.linear", released(r -> r.network().rank() > 64 && r.network().rank() < 128),
                    "a rank above 64 easily overfits; 16 suits a character."),
            new Rule("S2-06", "network.linear", released(r -> r.network().rank() < 16),
                    "a rank below 16 suits small changes of style, not a character."),
            new Rule("S2-04", "network.linear_alpha", r -> r.network().alpha() != r.network().rank(),
                    "differs from linear: the change is scaled by alpha / rank, in every program that reads the file."),
            new Rule("S1-61", "train.steps", released(r -> r.train().steps() * r.train().accumulation() < 2000),
                    "is short; most characters need 2000 batches or more."),
            new Rule("S1-61", "train.steps", released(r -> r.train().steps() > 10_000),
                    "is very long; the best checkpoint is usually far earlier."),
            new Rule("X-11", "train.timestep_type", r -> r.train().timesteps().type().isForFewSteps(),
                    "is for models that sample in a few steps; sigmoid suits characters, linear styles."),
            new Rule("X-11", "train.content_or_style",
                    r -> r.train().timesteps().type().isForFewSteps()
                            && r.train().timesteps().bias() != TimestepBias.BALANCED,
                    "changes nothing: the levels of timestep_type are fixed."),
            new Rule("S1-62", "save.save_every", released(r -> r.save().everySteps() > 500),
                    "more than 500 steps between checkpoints can step over the best one."),
            new Rule("S1-63", "save.max_step_saves_to_keep", r -> r.save().keep() < 4,
                    "fewer than 4 checkpoints leave little to choose from."),
            new Rule("S2-33", "sample.guidance_scale",
                    released(r -> r.sample().prompts().stream()
                            .anyMatch(p -> p.guidanceScale() < 3 || p.guidanceScale() > 4)),
                    "outside 3 to 4: below is loose, above over-constrains; 3.5 is the recipe's."),
            new Rule("X-02", "sample.sample_steps",
                    released(r -> r.sample().prompts().stream().anyMatch(p -> p.steps() < 20 || p.steps() > 40)),
                    "outside 20 to 40; 28 is the recipe's."),
            new Rule("S1-46", "datasets[].flip_x", r -> r.datasets().stream().anyMatch(DatasetRecipe::flipX),
                    "mirrors faces, writing, and captions that say left or right."),
            new Rule("S1-47", "datasets[].flip_y", r -> r.datasets().stream().anyMatch(DatasetRecipe::flipY),
                    "upside down is rarely what a picture means."),
            new Rule("S1-06", "trigger_word", r -> r.triggerWord() == null,
                    "there is none, so the adapter changes every picture: right for a style, not for a character."),
            new Rule("S1-74", "sample.prompts", Advice::noPromptHasTheTrigger,
                    "no prompt holds the trigger word, so no sample will show what was learned."),
            new Rule("S1-12", "model.qtype", r -> r.model().transformerFormat() != null
                    && r.model().transformerFormat().recovery() == null
                    && r.model().transformerFormat().type().isApplied()
                    && r.model().transformerFormat().type().bits() <= 4,
                    "4 bits and fewer visibly lose quality without an accuracy recovery adapter."));

    private Advice() {}

    static void give(Recipe recipe, Section root, Findings findings) {
        for (Rule rule : RULES) {
            if (!rule.speaks().test(recipe)) continue;
            Places.find(root, rule.path()).ifPresentOrElse(at -> findings.note(rule.id(), at, rule.path(), rule.text()),
                    () -> findings.note(rule.id(), rule.path(), rule.text()));
        }
    }

    private static Predicate<Recipe> released(Predicate<Recipe> rule) {
        return recipe -> recipe.model().isReleased() && rule.test(recipe);
    }

    private static double rate(Recipe recipe) {
        return recipe.train().optimizer().learningRate();
    }

    private static boolean noPromptHasTheTrigger(Recipe recipe) {
        String trigger = recipe.triggerWord();
        return trigger != null && !recipe.sample().prompts().isEmpty()
                && recipe.sample().prompts().stream().noneMatch(prompt -> prompt.prompt().contains(trigger));
    }
}
