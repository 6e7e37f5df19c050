package nocturne.image;

/// The colour that shows through where a picture is transparent.
///
/// @param red   0..255, sRGB
/// @param green 0..255, sRGB
/// @param blue  0..255, sRGB
public record Background(int red, int green, int blue) {
    /// What ai-toolkit lays under transparent control pictures (`control_transparent_color`, `[0, 0, 0]`).
    public static final Background BLACK = new Background(0, 0, 0);

    /// What we lay under transparent training pictures. ai-toolkit drops their alpha and trains on whatever colour
    /// the drawing program left underneath, which nobody has ever seen; white is what a viewer shows.
    public static final Background WHITE = new Background(255, 255, 255);

    public Background {
        if (((red | green | blue) & ~0xff) != 0) {
            throw new IllegalArgumentException(
                    "colour parts run from 0 to 255, these are %d, %d, %d".formatted(red, green, blue));
        }
    }
}
