package nocturne.recipe;

/// How the noise levels of training samples are spread.
public enum TimestepType implements Spelled {
    /// Sigmoid of a normal draw: most samples at medium noise, where features are decided.
    SIGMOID("sigmoid"),
    /// Every level as often as any other.
    LINEAR("linear"),
    /// Drawn as [#LINEAR]; the loss of each level is weighted by a fixed table that favours high noise.
    WEIGHTED("weighted"),
    /// The levels of the inference schedule, shifted towards high noise for large pictures.
    SHIFT("shift flux_shift lumina2_shift"),
    /// Three parts log-normal, one part even.
    LOGNORM_BLEND("lognorm_blend"),
    /// A short schedule, of which one step is taken before the loss is measured.
    NEXT_SAMPLE("next_sample"),
    /// Pure noise only.
    ONE_STEP("one_step"),
    /// The levels that a model of two steps meets.
    TWO_STEP("two_step"),
    /// The levels that a model of four steps meets.
    FOUR_STEP("four_step"),
    /// The levels that a model of eight steps meets.
    EIGHT_STEP("eight_step");

    private final String spellings;

    TimestepType(String spellings) {
        this.spellings = spellings;
    }

    /// Whether its levels are fixed, made for models that sample in a few steps; a bias changes nothing then.
    public boolean isForFewSteps() {
        return ordinal() >= NEXT_SAMPLE.ordinal();
    }

    @Override
    public String spellings() {
        return spellings;
    }
}
