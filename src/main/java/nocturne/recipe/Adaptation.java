package nocturne.recipe;

import java.util.List;
import java.util.OptionalInt;

/// What of a recipe follows from the device that it runs on.
///
/// @param cardGib class of the card, such as 24: it decides what nobody wrote, and adds its advice; empty for the
///                processor
/// @param rungs   what is given up because the card's memory is short, in this order
public record Adaptation(OptionalInt cardGib, List<Rung> rungs) {
    /// To nothing.
    public static final Adaptation NONE = new Adaptation(OptionalInt.empty(), List.of());

    public Adaptation {
        rungs = List.copyOf(rungs);
    }

    /// To a card of a class with room for everything.
    public static Adaptation toCard(int gib) {
        return new Adaptation(OptionalInt.of(gib), List.of());
    }

    /// The same where this is given up.
    public Adaptation with(List<Rung> given) {
        return new Adaptation(cardGib, given);
    }
}
