package nocturne.image;

import nocturne.image.ResampleTaps.Precision;

/// Pictures at another size, with the same numbers the reference libraries give.
///
/// The 8-bit filters work in two passes, one axis after the other, and round to 8 bits in between. That rounding shows
/// at saturated edges, so the order of the passes is part of the result.
public final class Resample {
    private Resample() {}

    /// A window with which neighbouring pixels are weighed; distances in input pixels.
    public enum Filter {
        /// Cubic convolution with a = -0.5, 4 x 4 pixels.
        BICUBIC(2) {
            @Override
            double at(double x) {
                double d = Math.abs(x);
                if (d < 1) return (1.5 * d - 2.5) * d * d + 1;
                return d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0;
            }
        },
        /// `sinc(x) sinc(x / 3)`, 6 x 6 pixels: what the pipelines bring control pictures to size with.
        LANCZOS(3) {
            @Override
            double at(double x) {
                return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
            }
        };

        private final double support;

        Filter(double support) {
            this.support = support;
        }

        abstract double at(double x);

        private static double sinc(double x) {
            return x == 0 ? 1 : StrictMath.sin(Math.PI * x) / (Math.PI * x);
        }
    }

    /// Which axis is resampled first.
    public enum Order { HORIZONTAL_FIRST, VERTICAL_FIRST }

    /// `picture` at `width` x `height` pixels as Pillow's `Image.resize` makes it.
    ///
    /// @param order Pillow's releases up to 12 begin with the rows (`HORIZONTAL_FIRST`) unless a picture is over a
    ///              hundred times as high as wide; later versions choose what is faster
    public static Picture pillow(Picture picture, int width, int height, Filter filter, Order order) {
        return twoPasses(picture, width, height, filter, order, Precision.PILLOW);
    }

    /// `picture` at `width` x `height` pixels as torchvision's antialiased bicubic resize of 8-bit pictures makes it:
    /// what the vision tower's pictures go through.
    public static Picture torchvisionBicubic(Picture picture, int width, int height) {
        return twoPasses(picture, width, height, Filter.BICUBIC, Order.HORIZONTAL_FIRST, Precision.TORCHVISION);
    }

    /// Linear interpolation between the two nearest pixels of each axis, pixel centres at half positions, no
    /// antialiasing: torch's `interpolate(mode="bilinear", align_corners=False)`.
    ///
    /// @param planes `[channels, height, width]`
    /// @return `[channels, newHeight, newWidth]`
    public static float[] bilinear(float[] planes, int channels, int height, int width, int newHeight, int newWidth) {
        if (channels < 1 || planes.length != (long) channels * height * width) {
            throw new IllegalArgumentException("%d numbers for %d planes of %d x %d"
                    .formatted(planes.length, channels, height, width));
        }
        requireSize(newWidth, newHeight);
        Neighbours rows = Neighbours.of(height, newHeight);
        Neighbours columns = Neighbours.of(width, newWidth);
        float[] result = new float[Math.multiplyExact(channels, Math.multiplyExact(newHeight, newWidth))];
        int at = 0;
        for (int c = 0; c < channels; c++) {
            for (int y = 0; y < newHeight; y++) {
                int upper = (c * height + rows.low[y]) * width;
                int lower = (c * height + rows.high[y]) * width;
                float down = rows.share[y];
                for (int x = 0; x < newWidth; x++) {
                    int left = columns.low[x];
                    int right = columns.high[x];
                    float over = columns.share[x];
                    float top = (1 - over) * planes[upper + left] + over * planes[upper + right];
                    float bottom = (1 - over) * planes[lower + left] + over * planes[lower + right];
                    result[at++] = (1 - down) * top + down * bottom;
                }
            }
        }
        return result;
    }

    /// @param share how much of the higher neighbour is taken
    private record Neighbours(int[] low, int[] high, float[] share) {
        static Neighbours of(int in, int out) {
            int[] low = new int[out];
            int[] high = new int[out];
            float[] share = new float[out];
            float scale = (float) in / out;
            for (int i = 0; i < out; i++) {
                // torch contracts this to one rounding; with two the result would be off by up to 2e-6.
                float at = Math.max(0, Math.fma(scale, i + 0.5f, -0.5f));
                low[i] = Math.min((int) at, in - 1);
                high[i] = Math.min(low[i] + 1, in - 1);
                share[i] = at - low[i];
            }
            return new Neighbours(low, high, share);
        }
    }

    private static Picture twoPasses(Picture picture, int width, int height, Filter filter, Order order,
            Precision precision) {
        requireSize(width, height);
        Picture between = order == Order.HORIZONTAL_FIRST
                ? horizontal(picture, width, filter, precision) : vertical(picture, height, filter, precision);
        return order == Order.HORIZONTAL_FIRST
                ? vertical(between, height, filter, precision) : horizontal(between, width, filter, precision);
    }

    private static Picture horizontal(Picture in, int width, Filter filter, Precision precision) {
        if (width == in.width()) return in;
        ResampleTaps taps = ResampleTaps.of(in.width(), width, filter.support, filter::at, precision);
        byte[] rgb = new byte[Math.multiplyExact(3, Math.multiplyExact(width, in.height()))];
        int at = 0;
        for (int y = 0; y < in.height(); y++) {
            for (int x = 0; x < width; x++) {
                int from = (y * in.width() + taps.first()[x]) * 3;
                weigh(in.rgb(), from, 3, taps, x, rgb, at);
                at += 3;
            }
        }
        return new Picture(width, in.height(), rgb);
    }

    private static Picture vertical(Picture in, int height, Filter filter, Precision precision) {
        if (height == in.height()) return in;
        ResampleTaps taps = ResampleTaps.of(in.height(), height, filter.support, filter::at, precision);
        byte[] rgb = new byte[Math.multiplyExact(3, Math.multiplyExact(in.width(), height))];
        int at = 0;
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < in.width(); x++) {
                int from = (taps.first()[y] * in.width() + x) * 3;
                weigh(in.rgb(), from, 3 * in.width(), taps, y, rgb, at);
                at += 3;
            }
        }
        return new Picture(in.width(), height, rgb);
    }

    /// One output pixel: the weighted sum over `count` input pixels `step` bytes apart, rounded and clamped to 8 bits.
    private static void weigh(byte[] in, int from, int step, ResampleTaps taps, int i, byte[] out, int to) {
        int half = 1 << taps.bits() - 1;
        int red = half;
        int green = half;
        int blue = half;
        int weightAt = i * taps.stride();
        for (int k = 0, p = from; k < taps.count()[i]; k++, p += step) {
            int w = taps.weight()[weightAt + k];
            red += (in[p] & 0xff) * w;
            green += (in[p + 1] & 0xff) * w;
            blue += (in[p + 2] & 0xff) * w;
        }
        out[to] = (byte) Math.clamp(red >> taps.bits(), 0, 255);
        out[to + 1] = (byte) Math.clamp(green >> taps.bits(), 0, 255);
        out[to + 2] = (byte) Math.clamp(blue >> taps.bits(), 0, 255);
    }

    private static void requireSize(int width, int height) {
        if (width < 1 || height < 1) throw new IllegalArgumentException("a size of " + width + " x " + height);
    }
}
