package nocturne.recipe;

/// What files of sample pictures are.
public enum SampleFormat implements Spelled {
    PNG("png"),
    JPEG("jpg jpeg"),
    /// Asked for and never written: Java has no encoder for it.
    WEBP("webp");

    private final String spellings;

    SampleFormat(String spellings) {
        this.spellings = spellings;
    }

    @Override
    public String spellings() {
        return spellings;
    }
}
