package nocturne.recipe;

import java.util.List;
import java.util.OptionalLong;

/// What is said about how long a run is.
final class LengthRules {
    /// Some sources count updates, others batches. So a run is short where it is by both counts, and long where
    /// it is by both.
    private static final int FEWEST_BATCHES = 2000;
    private static final int MOST_UPDATES = 10_000;
    private static final int MANY_EPOCHS = 15;
    private static final int STYLE_EPOCHS = 50;

    static final List<Rule<Evidence>> ALL = List.of(
            Rule.<Evidence>warning("S1-61", "train.steps")
                    .when(it -> it.isReleased() && it.batches() < FEWEST_BATCHES)
                    .says(it -> "is %d updates of %d batches: %d batches, which is short.".formatted(
                            it.recipe().train().steps(), it.recipe().train().accumulation(), it.batches()))
                    .remedy("Below 2000 batches little is learned; 3000 steps are a careful start."),
            Rule.<Evidence>warning("S1-61", "train.steps")
                    .when(it -> it.isReleased() && it.useCase() != UseCase.STYLE
                            && it.recipe().train().steps() > MOST_UPDATES)
                    .says(it -> "is %d updates of the weights, which is very long; the best checkpoint is usually far"
                            .formatted(it.recipe().train().steps()) + " earlier.")
                    .remedy("3000 steps are a careful start, 10000 the most that refinement takes."),
            Rule.<Evidence>error("S2-20", "train.epochs").butOverridable()
                    .when(it -> passesMatter(it) && it.epochs().orElse(0) >= STYLE_EPOCHS)
                    .says("50 epochs and more are for styles; a character is memorised by then.")
                    .remedy("8 to 10 suit a character, 12 to 15 a complex one; use_case: style says it is a style."),
            Rule.<Evidence>warning("S2-20", "train.epochs")
                    .when(it -> passesMatter(it) && it.epochs().orElse(0) > MANY_EPOCHS
                            && it.epochs().orElse(0) < STYLE_EPOCHS)
                    .says("more than 15 epochs easily memorise a character.")
                    .remedy("8 to 10 suit a character, 12 to 15 a complex one."),
            Rule.<Evidence>notice("X-08", "train.epochs")
                    .when(it -> it.epochs().isPresent() && it.isWritten("train.steps"))
                    .says(LengthRules::threeNumbers));

    private LengthRules() {}

    /// The seeds' epochs are long, of pictures repeated 20 and 40 times. Where the pictures say that all epochs
    /// together are short, their number says nothing.
    private static boolean passesMatter(Evidence it) {
        OptionalLong samples = it.samplesPerEpoch();
        boolean shortAnyway = samples.isPresent() && samples.getAsLong() * it.epochs().orElse(0) < FEWEST_BATCHES;
        return it.isReleasedCharacter() && !shortAnyway;
    }

    /// The run as it is, as the epochs have it, and as the pictures have it.
    private static String threeNumbers(Evidence it) {
        int steps = it.recipe().train().steps();
        int epochs = it.epochs().orElseThrow();
        String length =
                "steps is the whole run, %d, not multiplied by epochs; saving each of %d epochs means every %d steps"
                .formatted(steps, epochs, Math.max(1, Math.ceilDiv(steps, epochs)));
        OptionalLong samples = it.samplesPerEpoch();
        if (samples.isEmpty()) return length + ".";
        long samplesPerStep = (long) it.recipe().train().batchSize() * it.recipe().train().accumulation();
        return length + "; by the pictures (%d samples an epoch, %d a step) it is %.1f epochs.".formatted(
                samples.getAsLong(), samplesPerStep, (double) steps * samplesPerStep / samples.getAsLong());
    }
}
