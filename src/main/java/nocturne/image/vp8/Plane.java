package nocturne.image.vp8;

import java.util.Arrays;

/// One colour plane with the border that predictions reach into: a row of 127 above, a column of 129 on the left.
///
/// Source: RFC 6386, section 12.2.
final class Plane {
    static final int ABOVE = 127;
    static final int LEFT = 129;

    /// From one row to the next.
    final int stride;

    final byte[] samples;

    /// @param width  of all macroblocks together
    /// @param height of all macroblocks together
    Plane(int width, int height) {
        stride = width + 1;
        samples = new byte[stride * (height + 1)];
        Arrays.fill(samples, 0, stride, (byte) ABOVE);
        for (int y = 1; y <= height; y++) samples[y * stride] = (byte) LEFT;
    }

    int index(int x, int y) {
        return (y + 1) * stride + x + 1;
    }

    int at(int index) {
        return samples[index] & 0xff;
    }

    void set(int index, int value) {
        samples[index] = (byte) Math.clamp(value, 0, 255);
    }
}
