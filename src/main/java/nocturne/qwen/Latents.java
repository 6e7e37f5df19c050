package nocturne.qwen;

/// How latents are laid out: as a picture `[C, H, W]`, and as the transformer's tokens.
///
/// A token is a patch of 2x2 latents; its `4 C` features are ordered channel-major: feature `4 c + 2 dy + dx` of token
/// `(y, x)` is `latents[c, 2 y + dy, 2 x + dx]`. Source: `_pack_latents` of diffusers' `pipeline_qwenimage`.
public final class Latents {
    private Latents() {}

    /// @param latents `[batch, channels, height, width]`, height and width even
    /// @return `[batch, height / 2 * width / 2, 4 * channels]`
    public static float[] pack(float[] latents, int batch, int channels, int height, int width) {
        requireFit(latents, batch, channels, height, width);
        float[] packed = new float[latents.length];
        int features = 4 * channels;
        int at = 0;
        for (int plane = 0; plane < batch * channels; plane++) {
            int sample = plane / channels * channels * height * width;
            int c = plane % channels;
            for (int y = 0; y < height; y++) {
                for (int x = 0; x < width; x++) {
                    packed[sample + token(y, x, width) * features + feature(c, y, x)] = latents[at++];
                }
            }
        }
        return packed;
    }

    /// One sample: [#pack(float[], int, int, int, int)] with `batch` 1.
    public static float[] pack(float[] latents, int channels, int height, int width) {
        return pack(latents, 1, channels, height, width);
    }

    /// The inverse of [#pack].
    ///
    /// @param packed `[batch, height / 2 * width / 2, 4 * channels]`
    /// @return `[batch, channels, height, width]`
    public static float[] unpack(float[] packed, int batch, int channels, int height, int width) {
        requireFit(packed, batch, channels, height, width);
        float[] latents = new float[packed.length];
        int features = 4 * channels;
        int at = 0;
        for (int plane = 0; plane < batch * channels; plane++) {
            int sample = plane / channels * channels * height * width;
            int c = plane % channels;
            for (int y = 0; y < height; y++) {
                for (int x = 0; x < width; x++) {
                    latents[at++] = packed[sample + token(y, x, width) * features + feature(c, y, x)];
                }
            }
        }
        return latents;
    }

    /// One sample: [#unpack(float[], int, int, int, int)] with `batch` 1.
    public static float[] unpack(float[] packed, int channels, int height, int width) {
        return unpack(packed, 1, channels, height, width);
    }

    /// `(latents - mean) / std` of each channel: from the autoencoder's numbers to the transformer's.
    ///
    /// @param latents `[C, H, W]`
    /// @return a new array
    public static float[] normalise(float[] latents, VaeConfig config) {
        int plane = latents.length / config.latentDim();
        float[] normalised = new float[latents.length];
        for (int i = 0; i < latents.length; i++) {
            int c = i / plane;
            normalised[i] = (latents[i] - config.latentsMean().get(c)) / config.latentsStd().get(c);
        }
        return normalised;
    }

    /// `latents * std + mean`: the inverse of [#normalise].
    public static float[] denormalise(float[] latents, VaeConfig config) {
        int plane = latents.length / config.latentDim();
        float[] denormalised = new float[latents.length];
        for (int i = 0; i < latents.length; i++) {
            int c = i / plane;
            denormalised[i] = latents[i] * config.latentsStd().get(c) + config.latentsMean().get(c);
        }
        return denormalised;
    }

    /// `[channels, pixels]` to `[pixels, channels]`.
    static float[] channelsLast(float[] planes, int channels) {
        return transposed(planes, channels);
    }

    /// `[pixels, channels]` to `[channels, pixels]`.
    static float[] channelsFirst(float[] rows, int channels) {
        return transposed(rows, rows.length / channels);
    }

    private static float[] transposed(float[] matrix, int rows) {
        int columns = matrix.length / rows;
        float[] turned = new float[matrix.length];
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < columns; c++) turned[c * rows + r] = matrix[r * columns + c];
        }
        return turned;
    }

    private static int token(int y, int x, int width) {
        return y / 2 * (width / 2) + x / 2;
    }

    private static int feature(int channel, int y, int x) {
        return 4 * channel + 2 * (y % 2) + x % 2;
    }

    private static void requireFit(float[] numbers, int batch, int channels, int height, int width) {
        if (height % 2 != 0 || width % 2 != 0 || numbers.length != (long) batch * channels * height * width) {
            throw new IllegalArgumentException("%d numbers for latents [%d, %d, %d, %d], whose sides must be even"
                    .formatted(numbers.length, batch, channels, height, width));
        }
    }
}
