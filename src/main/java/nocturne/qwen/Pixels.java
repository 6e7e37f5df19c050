package nocturne.qwen;

import nocturne.image.Picture;

/// Pictures as the autoencoder sees them: `[3, height, width]`, -1 black, 1 white.
public final class Pixels {
    private Pixels() {}

    /// `2 * value / 255 - 1` of each channel.
    public static float[] of(Picture picture) {
        int plane = picture.width() * picture.height();
        float[] pixels = new float[3 * plane];
        for (int i = 0; i < plane; i++) {
            for (int c = 0; c < 3; c++) pixels[c * plane + i] = 2 * ((picture.rgb()[3 * i + c] & 0xff) / 255f) - 1;
        }
        return pixels;
    }

    /// `round(255 * clamp(value / 2 + 0.5, 0, 1))`, a half rounded to even as the reference pipeline does.
    ///
    /// @param pixels `[3, height, width]`
    public static Picture picture(float[] pixels, int height, int width) {
        int plane = height * width;
        if (pixels.length != 3 * plane) {
            throw new IllegalArgumentException(
                    "%d numbers for a picture [3, %d, %d]".formatted(pixels.length, height, width));
        }
        byte[] rgb = new byte[3 * plane];
        for (int i = 0; i < plane; i++) {
            for (int c = 0; c < 3; c++) {
                float level = Math.clamp(pixels[c * plane + i] / 2 + 0.5f, 0f, 1f);
                rgb[3 * i + c] = (byte) Math.rint(255f * level);
            }
        }
        return new Picture(width, height, rgb);
    }
}
