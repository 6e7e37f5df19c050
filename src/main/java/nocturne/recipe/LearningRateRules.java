package nocturne.recipe;

import java.util.List;

/// What is said about the learning rate and its course.
final class LearningRateRules {
    private static final String KEY = "train.lr";
    private static final String REMEDY = "2e-4 is the recipe's, 1e-4 the careful choice.";
    private static final double HIGH = 4e-4;
    private static final double HIGHEST = 5e-4;
    private static final double LOW = 5e-5;

    static final List<Rule<Evidence>> ALL = List.of(
            Rule.<Evidence>error("S2-17", KEY).butOverridable()
                    .when(it -> it.isReleasedCharacter() && it.learningRate() > HIGHEST)
                    .says("above 5e-4 characters are burnt, not learned.").remedy(REMEDY),
            Rule.<Evidence>warning("S2-15", KEY)
                    .when(it -> it.isReleased() && it.learningRate() >= HIGHEST
                            && !(it.useCase().isCharacter() && it.learningRate() > HIGHEST))
                    .says("5e-4 and more learns fast and is likely to overfit.").remedy(REMEDY),
            Rule.<Evidence>warning("S1-25", KEY)
                    .when(it -> it.isReleased() && it.learningRate() >= HIGH && it.learningRate() < HIGHEST)
                    .says("4e-4 and more is fast and easily overfits.").remedy(REMEDY),
            Rule.<Evidence>warning("S2-14", KEY)
                    .when(it -> it.isReleased() && it.learningRate() < LOW)
                    .says("below 5e-5 a run may end before it has learned much.").remedy(REMEDY),
            Rule.<Evidence>notice("B6", "train.lr_scheduler")
                    .when(LearningRateRules::fallsToNothingUnasked)
                    .says("linear falls from lr to 0 here; elsewhere it may rise from a third.")
                    .remedy("eta_min says where it ends."));

    private LearningRateRules() {}

    private static boolean fallsToNothingUnasked(Evidence it) {
        Section params = it.root().child(TrainKeys.BLOCK).child(TrainKeys.SCHEDULER_PARAMS);
        return it.recipe().train().optimizer().schedule() instanceof LearningRateSchedule.Linear
                && params.origin(TrainKeys.ETA_MIN).filter(Origin.Derived.class::isInstance).isPresent()
                && params.former(TrainKeys.END_FACTOR).isEmpty();
    }
}
