package nocturne.image;

/// Why the bytes at hand are no picture we can use; the reader turns it into a mistake that names the file.
final class UnreadablePicture extends Exception {
    private static final long serialVersionUID = 1L;

    UnreadablePicture(String why) {
        super(why);
    }

    UnreadablePicture(String why, Throwable cause) {
        super(why, cause);
    }
}
