package nocturne.recipe;

/// The update rule.
public enum Optimizer implements Spelled {
    ADAMW("adamw"),
    /// AdamW with both moments in blocks of 8-bit numbers; computed as [#ADAMW] for now, with a notice.
    ADAMW8BIT("adamw8bit");

    private final String spelling;

    Optimizer(String spelling) {
        this.spelling = spelling;
    }

    @Override
    public String spelling() {
        return spelling;
    }
}
