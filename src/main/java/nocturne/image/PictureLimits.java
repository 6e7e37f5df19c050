package nocturne.image;

/// What a picture may cost. Read from the header and checked before a single pixel is decoded: a file of 50 KB can
/// claim 60 000 x 60 000 pixels, and a decoder would believe it.
///
/// @param pixels most width times height
/// @param side   most pixels in either direction
/// @param bytes  most bytes of the encoded file
public record PictureLimits(long pixels, int side, long bytes) {
    /// 100 megapixels (a large-format scan), 16 384 a side (what WebP can hold at all), 256 MiB.
    public static final PictureLimits STANDARD = new PictureLimits(100_000_000L, 16_384, 256L << 20);

    public PictureLimits {
        // The decoded pixels live in one Java array of three bytes each.
        if (pixels < 1 || pixels > Integer.MAX_VALUE / 3) throw new IllegalArgumentException("pixels " + pixels);
        if (side < 1) throw new IllegalArgumentException("side " + side);
        if (bytes < 1 || bytes > Integer.MAX_VALUE - 8) throw new IllegalArgumentException("bytes " + bytes);
    }
}
