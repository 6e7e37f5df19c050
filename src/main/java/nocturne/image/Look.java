package nocturne.image;

import java.util.OptionalInt;

/// What is kept of a picture that was looked at: a kilobyte, however large it was.
public final class Look {
    private final PictureHash hash;
    private final PictureHash mirrored;
    private final Thumbprint thumbprint;
    private final double sharpness;

    private Look(PictureHash hash, Thumbprint thumbprint, double sharpness) {
        this.hash = hash;
        this.mirrored = hash.mirrored();
        this.thumbprint = thumbprint;
        this.sharpness = sharpness;
    }

    public static Look at(Picture picture) {
        Grey grey = Grey.of(picture).within(Glance.SIDE);
        return new Look(PictureHash.of(grey), Thumbprint.of(picture, grey), Sharpness.of(grey));
    }

    /// See [Sharpness].
    public double sharpness() {
        return sharpness;
    }

    /// In how many bits of 63 the hashes of two pictures differ that are nearly the same; empty for others.
    public OptionalInt likeness(Look other) {
        return likeness(other, other.hash, false);
    }

    /// The same where the other picture's left and right are swapped.
    public OptionalInt mirroredLikeness(Look other) {
        return likeness(other, other.mirrored, true);
    }

    private OptionalInt likeness(Look other, PictureHash others, boolean turned) {
        int bits = hash.distance(others);
        boolean alike = bits <= PictureHash.ALIKE && thumbprint.isAlike(other.thumbprint, turned);
        return alike ? OptionalInt.of(bits) : OptionalInt.empty();
    }
}
