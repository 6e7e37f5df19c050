package nocturne.image.jpeg;

/// The quick decoder cannot vouch for a file: it is damaged, or of a kind that this decoder does not know. A full
/// decoder has the last word.
public final class DoubtfulJpeg extends Exception {
    private static final long serialVersionUID = 1L;

    DoubtfulJpeg(String why) {
        super(why);
    }
}
