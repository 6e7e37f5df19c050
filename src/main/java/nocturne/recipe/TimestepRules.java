package nocturne.recipe;

import java.util.List;

/// What is said about the noise levels that are trained, and the numbers they are computed in.
final class TimestepRules {
    private static final String TYPE = "train.timestep_type";
    private static final String BIAS = "train.content_or_style";

    static final List<Rule<Evidence>> ALL = List.of(
            Rule.<Evidence>warning("X-11", TYPE).when(it -> type(it).isForFewSteps())
                    .says("is for models that sample in a few steps.")
                    .remedy("sigmoid suits characters, linear styles."),
            Rule.<Evidence>notice("X-11", BIAS)
                    .when(it -> type(it).isForFewSteps() && bias(it) != TimestepBias.BALANCED)
                    .says("changes nothing: the levels of timestep_type are fixed."),
            Rule.<Evidence>notice("S1-31", TYPE).when(it -> !meaning(type(it)).isEmpty())
                    .says(it -> meaning(type(it))),
            Rule.<Evidence>notice("S1-30", TYPE)
                    .when(it -> it.isReleased() && it.useCase() == UseCase.STYLE && type(it) == TimestepType.SIGMOID)
                    .says("sigmoid favours medium noise, where features are decided; linear, all levels alike, is usual"
                            + " for a style."),
            Rule.<Evidence>notice("S1-33", TYPE)
                    .when(it -> it.isReleasedCharacter() && type(it) == TimestepType.LINEAR)
                    .says("linear is usual for styles; sigmoid, which favours medium noise, suits characters."),
            Rule.<Evidence>notice("S1-33", BIAS)
                    .when(it -> it.isReleasedCharacter() && !type(it).isForFewSteps()
                            && bias(it) != TimestepBias.BALANCED)
                    .says("balanced suits characters: the others favour composition (content) or texture (style)."),
            Rule.<Evidence>warning("S2-48", "train.dtype")
                    .when(it -> it.isReleased() && it.recipe().train().precision() == Precision.F32)
                    .says("32-bit activations take twice the memory and far more time, and learn no better.")
                    .remedy("bf16 is the recipe's."));

    private TimestepRules() {}

    private static TimestepType type(Evidence it) {
        return it.recipe().train().timesteps().type();
    }

    private static TimestepBias bias(Evidence it) {
        return it.recipe().train().timesteps().bias();
    }

    /// What the names mean that guides call undocumented; empty for the two that everybody knows.
    private static String meaning(TimestepType type) {
        return switch (type) {
            case WEIGHTED -> "weighted draws all noise levels alike and weighs their loss by a fixed table that favours"
                    + " high noise; sigmoid is the recipe's.";
            case SHIFT -> "shift draws the levels of the sampling schedule, shifted towards high noise for large"
                    + " pictures; sigmoid is the recipe's.";
            case LOGNORM_BLEND -> "lognorm_blend draws three parts log-normal and one part evenly; sigmoid is the"
                    + " recipe's.";
            case SIGMOID, LINEAR, NEXT_SAMPLE, ONE_STEP, TWO_STEP, FOUR_STEP, EIGHT_STEP -> "";
        };
    }
}
