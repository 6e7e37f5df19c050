package nocturne.recipe;

/// The names of learning rate schedules; with their numbers they become a [LearningRateSchedule].
enum Schedule implements Spelled {
    CONSTANT("constant"),
    CONSTANT_WITH_WARMUP("constant_with_warmup"),
    LINEAR("linear"),
    COSINE("cosine"),
    COSINE_WITH_RESTARTS("cosine_with_restarts");

    private final String spellings;

    Schedule(String spellings) {
        this.spellings = spellings;
    }

    boolean isConstant() {
        return this == CONSTANT || this == CONSTANT_WITH_WARMUP;
    }

    @Override
    public String spellings() {
        return spellings;
    }
}
