package nocturne.recipe;

import java.util.List;

/// Which end of the noise range training favours.
public enum TimestepBias implements Spelled {
    BALANCED("balanced"),
    /// High noise: composition.
    CONTENT("content", "high_noise"),
    /// Low noise: texture.
    STYLE("style", "low_noise");

    private final String spelling;
    private final List<String> others;

    TimestepBias(String spelling, String... others) {
        this.spelling = spelling;
        this.others = List.of(others);
    }

    @Override
    public String spelling() {
        return spelling;
    }

    @Override
    public List<String> otherSpellings() {
        return others;
    }
}
