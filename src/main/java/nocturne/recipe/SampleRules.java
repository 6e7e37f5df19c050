package nocturne.recipe;

import java.util.List;

/// What is said about the pictures drawn along the way.
final class SampleRules {
    private static final int SHORTEST = 50;
    private static final int LONGEST = 200;

    static final List<Rule<Evidence>> ON_ALL = List.of(
            Rule.<Evidence>notice("S2-52", "sample.sample_every")
                    .when(it -> it.isReleased() && it.recipe().sample().everySteps() > 0
                            && it.recipe().sample().everySteps() % it.recipe().save().everySteps() != 0)
                    .says(it -> "some samples are drawn at steps of which no file is kept: save_every is %d."
                            .formatted(it.recipe().save().everySteps())),
            Rule.<Evidence>notice("S2-54", "sample.prompts")
                    .when(it -> it.isReleased() && outside(it) > 0)
                    .says(it -> "%d of %d prompts are shorter than 50 or longer than 200 characters; in between works"
                            .formatted(outside(it), written(it).size()) + " best."));

    static final List<Rule<Evidence.OfPrompt>> ON_EACH = List.of(
            Rule.<Evidence.OfPrompt>warning("S2-33", "guidance_scale")
                    .when(it -> it.whole().isReleased() && it.prompt().guidanceScale() < 3)
                    .says("below 3 prompts are followed loosely.")
                    .remedy("3 to 4 is recommended; 3.5 is the recipe's."),
            Rule.<Evidence.OfPrompt>warning("S2-34", "guidance_scale")
                    .when(it -> it.whole().isReleased() && it.prompt().guidanceScale() > 4)
                    .says("above 4 pictures are over-constrained.")
                    .remedy("3 to 4 is recommended; 3.5 is the recipe's."),
            Rule.<Evidence.OfPrompt>warning("X-02", "sample_steps")
                    .when(it -> it.whole().isReleased() && (it.prompt().steps() < 20 || it.prompt().steps() > 40))
                    .says("is outside 20 to 40.").remedy("28 is the recipe's."));

    private SampleRules() {}

    private static List<String> written(Evidence it) {
        Section sample = it.root().child(SampleKeys.BLOCK);
        return sample.children(SampleKeys.ITEM).stream().filter(item -> item.isWritten(SampleKeys.PROMPT))
                .map(item -> item.get(SampleKeys.PROMPT)).toList();
    }

    private static long outside(Evidence it) {
        return written(it).stream().filter(prompt -> prompt.length() < SHORTEST || prompt.length() > LONGEST).count();
    }
}
