package nocturne.recipe;

/// How far from the truth a prediction is said to be.
public enum LossType implements Spelled {
    MSE("mse"),
    MAE("mae"),
    /// The absolute error with a round tip.
    PSEUDO_HUBER("pseudo_huber");

    private final String spellings;

    LossType(String spellings) {
        this.spellings = spellings;
    }

    @Override
    public String spellings() {
        return spellings;
    }
}
