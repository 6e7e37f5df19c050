package nocturne.recipe;

/// What becomes of a job for which a card's memory is too short even though everything that costs nothing but time was
/// done.
public enum OnOutOfMemory implements Spelled {
    /// It gives up what [Rung] says, as little as is enough, and says so.
    DEGRADE("degrade"),
    /// It is refused, with the numbers.
    FAIL("fail");

    private final String spellings;

    OnOutOfMemory(String spellings) {
        this.spellings = spellings;
    }

    @Override
    public String spellings() {
        return spellings;
    }
}
