package nocturne.recipe;

import java.util.List;

/// What is said about the moving average of the weights (EMA).
final class AverageRules {
    private static final String DECAY = "train.ema_config.ema_decay";
    /// More than this of the untrained start weakens a file visibly.
    private static final double NOTABLE_START = 0.05;

    static final List<Rule<Evidence>> ALL = List.of(
            Rule.<Evidence>warning("S1-41", DECAY)
                    .when(it -> it.isReleased() && ema(it).on() && (ema(it).decay() < 0.9 || ema(it).decay() > 0.9999))
                    .says("is outside 0.9 to 0.9999: below hardly anything is averaged, above nothing is learned.")
                    .remedy("0.999 is the recipe's."),
            Rule.<Evidence>notice("X-04", "train.ema_config.use_ema")
                    .when(it -> ema(it).on() && ema(it).biasCorrection()
                            && it.isWritten("train.ema_config.use_ema")
                            && !it.isWritten("train.ema_config.bias_correction") && start(it) > NOTABLE_START)
                    .says(it -> ("the untrained start is taken out of the average; elsewhere it would still weigh"
                            + " %.0f %% after the %d updates of this run.").formatted(
                                    100 * start(it), it.recipe().train().steps())),
            Rule.<Evidence>warning("X-04", "train.ema_config.bias_correction")
                    .when(it -> ema(it).on() && !ema(it).biasCorrection() && start(it) > NOTABLE_START)
                    .says(it -> "without it the untrained start still weighs %.0f %% of the file after %d updates."
                            .formatted(100 * start(it), it.recipe().train().steps()))
                    .remedy("true takes it out."),
            Rule.<Evidence>notice("S1-59", "train.ema_config.use_ema")
                    .when(it -> it.hasCardBelow(40) && ema(it).on())
                    .says("guides leave the average off on cards below 40 GB; it is kept here because it is a copy of"
                            + " the adapter alone, not of the model. use_ema: false saves that."),
            Rule.<Evidence>notice("X-04", "train.ema_config.use_ema")
                    .when(it -> it.hasCardFrom(40) && !ema(it).on())
                    .says("is off; a card of 40 GB and more has room for it, and the files are smoother with it."));

    private AverageRules() {}

    private static EmaRecipe ema(Evidence it) {
        return it.recipe().train().ema();
    }

    /// What the untrained start would weigh at the end of the run.
    private static double start(Evidence it) {
        return Math.pow(ema(it).decay(), it.recipe().train().steps());
    }
}
