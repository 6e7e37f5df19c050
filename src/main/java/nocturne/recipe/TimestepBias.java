package nocturne.recipe;

/// Which end of the noise range training favours.
public enum TimestepBias implements Spelled {
    BALANCED("balanced"),
    /// High noise: composition.
    CONTENT("content high_noise"),
    /// Low noise: texture.
    STYLE("style low_noise");

    private final String spellings;

    TimestepBias(String spellings) {
        this.spellings = spellings;
    }

    @Override
    public String spellings() {
        return spellings;
    }
}
