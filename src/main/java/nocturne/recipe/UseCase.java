package nocturne.recipe;

/// What is to be learned. It chooses the bands within which a value needs no comment.
public enum UseCase implements Spelled {
    /// One person, figure or thing.
    CHARACTER("character"),
    /// One with many outfits or much detail: more rank, more passes.
    COMPLEX_CHARACTER("complex_character"),
    /// A way of painting or photographing: all pictures change, with or without a trigger word.
    STYLE("style"),
    /// A change from control pictures to the pictures beside them.
    EDIT("edit");

    private final String spellings;

    UseCase(String spellings) {
        this.spellings = spellings;
    }

    /// Whether somebody must be recognised afterwards.
    public boolean isCharacter() {
        return this == CHARACTER || this == COMPLEX_CHARACTER;
    }

    @Override
    public String spellings() {
        return spellings;
    }
}
