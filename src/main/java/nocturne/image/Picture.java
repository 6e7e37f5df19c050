package nocturne.image;

import java.util.Objects;

/// An RGB picture in memory, upright, without alpha: what every other part of the program works with.
///
/// @param width  pixels, at least 1
/// @param height pixels, at least 1
/// @param rgb    `[height, width, 3]`, row-major, 8 bits a channel, sRGB; the array is not copied
public record Picture(int width, int height, byte[] rgb) {
    public Picture {
        Objects.requireNonNull(rgb);
        if (width < 1 || height < 1) throw new IllegalArgumentException("empty picture " + width + " x " + height);
        if (rgb.length != 3L * width * height) {
            throw new IllegalArgumentException(
                    "%d bytes for a picture of %d x %d".formatted(rgb.length, width, height));
        }
    }

    /// The 8-bit value of channel 0 (red), 1 (green) or 2 (blue) at column `x`, row `y`, as 0..255.
    public int at(int x, int y, int channel) {
        return rgb[(y * width + x) * 3 + channel] & 0xff;
    }
}
