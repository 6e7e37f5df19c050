package nocturne.dataset;

import java.util.List;
import nocturne.image.Orientation;

/// Which mirror image of a picture a sample shows. Control pictures are mirrored with it.
public enum Flip {
    NONE(Orientation.UPRIGHT),
    /// Left and right swapped.
    X(Orientation.MIRRORED),
    /// Top and bottom swapped.
    Y(Orientation.UPSIDE_DOWN),
    XY(Orientation.HALF_TURN);

    private final Orientation orientation;

    Flip(Orientation orientation) {
        this.orientation = orientation;
    }

    /// The same motion in the words of EXIF.
    public Orientation orientation() {
        return orientation;
    }

    /// Every copy that the two switches ask for, the picture itself first. Both together make four, as in ai-toolkit.
    static List<Flip> copies(boolean flipX, boolean flipY) {
        if (flipX && flipY) return List.of(NONE, X, Y, XY);
        if (flipX) return List.of(NONE, X);
        return flipY ? List.of(NONE, Y) : List.of(NONE);
    }
}
