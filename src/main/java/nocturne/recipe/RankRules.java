package nocturne.recipe;

import java.util.List;

/// What is said about the size and strength of the adapter.
final class RankRules {
    private static final String KEY = "network.linear";

    static final List<Rule<Evidence>> ALL = List.of(
            Rule.<Evidence>warning("S2-09", KEY).when(it -> it.isReleased() && it.rank() >= 128)
                    .says("a rank of 128 or more learns backgrounds, light and lens as well.")
                    .remedy("16 suits a character, 32 to 64 a complex one or a style."),
            Rule.<Evidence>warning("S1-20", KEY).when(it -> it.isReleased() && it.rank() > 64 && it.rank() < 128)
                    .says("a rank above 64 easily overfits.")
                    .remedy("16 suits a character, 32 to 64 a complex one or a style."),
            Rule.<Evidence>notice("S2-06", KEY)
                    .when(it -> it.isReleased() && it.useCase() == UseCase.CHARACTER && it.rank() < 16)
                    .says("a rank below 16 suits small changes of style, not a character."),
            Rule.<Evidence>notice("S2-08", KEY)
                    .when(it -> it.isReleased() && it.useCase() == UseCase.COMPLEX_CHARACTER && it.rank() < 32)
                    .says("32 to 64 is usual for a complex character."),
            Rule.<Evidence>notice("X-03", KEY)
                    .when(it -> it.isReleased() && it.useCase() == UseCase.STYLE && it.rank() < 8)
                    .says("8 to 64 is usual for a style."),
            Rule.<Evidence>notice("S1-57", KEY).when(it -> it.hasCardBelow(25) && it.rank() > 32)
                    .says("on a card of 24 GB ranks of 16 to 32 are usual."),
            Rule.<Evidence>notice("S2-04", "network.linear_alpha")
                    .when(it -> it.recipe().network().alpha() != it.rank())
                    .says("differs from linear: the change is scaled by alpha / rank, in every program that reads the"
                            + " file."));

    private RankRules() {}
}
