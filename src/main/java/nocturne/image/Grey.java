package nocturne.image;

/// The brightness of a picture.
///
/// @param values `[height, width]`, 0 to 255
record Grey(int width, int height, float[] values) {

    /// `0.299 R + 0.587 G + 0.114 B`, the luma of ITU-R BT.601.
    static Grey of(Picture picture) {
        float[] values = new float[picture.width() * picture.height()];
        byte[] rgb = picture.rgb();
        for (int i = 0, at = 0; i < values.length; i++, at += 3) {
            values[i] = 0.299f * (rgb[at] & 0xff) + 0.587f * (rgb[at + 1] & 0xff) + 0.114f * (rgb[at + 2] & 0xff);
        }
        return new Grey(picture.width(), picture.height(), values);
    }

    /// With its longer side at `side` pixels; the same where it is not longer.
    Grey within(int side) {
        int longer = Math.max(width, height);
        if (longer <= side) return this;
        return scaled(Math.max(1, Math.round((float) width * side / longer)),
                Math.max(1, Math.round((float) height * side / longer)));
    }

    /// At another size; each pixel is the mean of the area it covers.
    Grey scaled(int newWidth, int newHeight) {
        float[] rows = shrunk(values, width, height, newWidth);
        return new Grey(newWidth, newHeight, transposed(
                shrunk(transposed(rows, newWidth, height), height, newWidth, newHeight), newHeight, newWidth));
    }

    private static float[] shrunk(float[] in, int width, int height, int newWidth) {
        if (width == newWidth) return in;
        double scale = (double) width / newWidth;
        int[] first = new int[newWidth];
        float[][] weights = new float[newWidth][];
        for (int x = 0; x < newWidth; x++) {
            double from = x * scale;
            double to = Math.min(width, from + scale);
            first[x] = (int) from;
            int last = Math.min(width - 1, (int) Math.ceil(to) - 1);
            weights[x] = new float[last - first[x] + 1];
            for (int i = first[x]; i <= last; i++) {
                weights[x][i - first[x]] = (float) ((Math.min(to, i + 1.0) - Math.max(from, i)) / (to - from));
            }
        }
        float[] out = new float[newWidth * height];
        for (int y = 0, at = 0; y < height; y++) {
            for (int x = 0; x < newWidth; x++) {
                float sum = 0;
                int from = y * width + first[x];
                for (float weight : weights[x]) sum += weight * in[from++];
                out[at++] = sum;
            }
        }
        return out;
    }

    private static float[] transposed(float[] in, int width, int height) {
        float[] out = new float[in.length];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) out[x * height + y] = in[y * width + x];
        }
        return out;
    }
}
