package nocturne.recipe;

import java.util.List;

/// What is said about the rhythm of checkpoints and how many are kept.
final class SavingRules {
    private static final String EVERY = "save.save_every";

    static final List<Rule<Evidence>> ALL = List.of(
            Rule.<Evidence>error("S1-62", EVERY).butOverridable()
                    .when(it -> it.isReleased() && isLongerThanTheRun(it))
                    .says(it -> "is more than the %d steps of the run: only the last step would be saved.".formatted(
                            it.recipe().train().steps()))
                    .remedy("The best checkpoint is often not the last; 250 is usual."),
            Rule.<Evidence>notice("S1-62", EVERY).when(it -> !it.isReleased() && isLongerThanTheRun(it))
                    .says(it -> "is more than the %d steps of the run; only the last step is saved.".formatted(
                            it.recipe().train().steps())),
            Rule.<Evidence>warning("S1-62", EVERY)
                    .when(it -> it.isReleased() && it.recipe().save().everySteps() > 500 && !isLongerThanTheRun(it))
                    .says("more than 500 steps between checkpoints can step over the best one.")
                    .remedy("250 to 500 is usual."),
            Rule.<Evidence>warning("S1-63", "save.max_step_saves_to_keep")
                    .when(it -> it.recipe().save().keep() < 4)
                    .says("fewer than 4 checkpoints leave little to choose from.")
                    .remedy("The recipe keeps 10."));

    private SavingRules() {}

    private static boolean isLongerThanTheRun(Evidence it) {
        return it.recipe().save().everySteps() > it.recipe().train().steps();
    }
}
