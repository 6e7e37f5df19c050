package nocturne.recipe;

/// Where a value of the resolved recipe came from.
public sealed interface Origin {
    /// The person wrote it; both counted from 1.
    record Written(int line, int column) implements Origin {}

    /// Nobody said anything, so the recipe's default holds.
    ///
    /// @param basis the row of the ledger behind the default, or the reason for it
    record Default(String basis) implements Origin {}

    /// It follows from other values.
    ///
    /// @param basis the row of the ledger behind the rule
    /// @param how   the rule, such as `= network.linear`
    record Derived(String basis, String how) implements Origin {}

    /// An option of the command.
    record CommandLine(String option) implements Origin {}

    /// Nobody said anything, so the class of the card decides.
    ///
    /// @param cardGib of the class, such as 24
    /// @param basis   the row of the ledger behind it
    record Profile(int cardGib, String basis) implements Origin {}

    /// It was something else, which gave way because the card's memory is short.
    ///
    /// @param former the value before, as a recipe writes it
    /// @param basis  the row of the ledger behind it
    record Planner(String former, String basis) implements Origin {}

    /// As the resolved recipe prints it beside the value.
    default String shown() {
        return switch (this) {
            case Written(int line, int column) -> "line %d, column %d".formatted(line, column);
            case Default(String basis) -> "default, " + basis;
            case Derived(String basis, String how) -> how + ", " + basis;
            case CommandLine(String option) -> "option " + option;
            case Profile(int cardGib, String basis) -> "card of %d GB, %s".formatted(cardGib, basis);
            case Planner(String former, String basis) -> "planner, instead of %s, %s".formatted(former, basis);
        };
    }
}
