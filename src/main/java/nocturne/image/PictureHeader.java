package nocturne.image;

/// What a picture file says about itself before its pixels are decoded.
///
/// @param format       by content; the file's name plays no part
/// @param storedWidth  columns as stored, before the orientation is applied
/// @param storedHeight rows as stored
/// @param orientation  how to turn it
public record PictureHeader(Format format, int storedWidth, int storedHeight, Orientation orientation) {
    /// The encodings we read.
    public enum Format { PNG, JPEG, WEBP }

    /// Width in pixels as seen.
    public int width() {
        return orientation.swapsSides() ? storedHeight : storedWidth;
    }

    /// Height in pixels as seen.
    public int height() {
        return orientation.swapsSides() ? storedWidth : storedHeight;
    }
}
