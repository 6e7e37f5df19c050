package nocturne.recipe;

/// The update rule.
public enum Optimizer implements Spelled {
    ADAMW("adamw"),
    /// AdamW with both moments in blocks of 8-bit numbers.
    ADAMW8BIT("adamw8bit");

    private final String spellings;

    Optimizer(String spellings) {
        this.spellings = spellings;
    }

    @Override
    public String spellings() {
        return spellings;
    }
}
