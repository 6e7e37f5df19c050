package nocturne.image.vp8;

/// The bytes are no whole VP8 key frame.
public final class BrokenVp8 extends Exception {
    private static final long serialVersionUID = 1L;

    BrokenVp8(String why) {
        super(why);
    }
}
