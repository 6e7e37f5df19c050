package nocturne.image;

/// What is kept of a picture that was looked at: a few bytes, however large it was.
///
/// @param hash      for finding pictures that look alike
/// @param sharpness see [Sharpness]
public record Look(PictureHash hash, double sharpness) {

    public static Look at(Picture picture) {
        Grey grey = Grey.of(picture);
        return new Look(PictureHash.of(grey), Sharpness.of(grey));
    }
}
