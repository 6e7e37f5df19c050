package nocturne.recipe;

/// The names of learning rate schedules; with their numbers they become a [LearningRateSchedule].
enum Schedule implements Spelled {
    CONSTANT("constant"),
    CONSTANT_WITH_WARMUP("constant_with_warmup"),
    LINEAR("linear"),
    COSINE("cosine");

    private final String spelling;

    Schedule(String spelling) {
        this.spelling = spelling;
    }

    @Override
    public String spelling() {
        return spelling;
    }
}
