package nocturne.cpu;

import java.lang.foreign.MemorySegment;
import nocturne.tensor.Convolution.Grid;

/// Lays the 3x3 neighbourhoods of results out as matrix rows (the step known as im2col).
///
/// Pixels lie channels-last, so the three pixels a kernel row reads are one piece of memory unless the picture is
/// being enlarged or the border cuts it.
///
/// @param x `[height * width, channels]`
record Neighbourhoods(MemorySegment x, int height, int width, int channels, Grid grid) {
    /// Writes the neighbourhoods of results `from .. from + count` as rows of `9 * channels` floats.
    void copy(int from, int count, MemorySegment matrix) {
        long pixelBytes = 4L * channels;
        int outWidth = grid.extent(width);
        int row = from / outWidth;
        int column = from % outWidth;
        for (int i = 0; i < count; i++) {
            for (int ky = 0; ky < 3; ky++) {
                long at = (9L * i + 3L * ky) * pixelBytes;
                switch (grid) {
                    case SAME -> kernelRow(row + ky - 1, column - 1, matrix, at, pixelBytes);
                    case HALF -> kernelRow(2 * row + ky, 2 * column, matrix, at, pixelBytes);
                    case DOUBLE -> enlargedRow(row + ky - 1, column - 1, matrix, at, pixelBytes);
                }
            }
            if (++column == outWidth) {
                column = 0;
                row++;
            }
        }
    }

    /// Copies pixels `left .. left + 3` of row `y`, zeros where they are outside.
    private void kernelRow(int y, int left, MemorySegment matrix, long at, long pixelBytes) {
        if (y < 0 || y >= height) {
            matrix.asSlice(at, 3 * pixelBytes).fill((byte) 0);
            return;
        }
        int skipped = Math.max(0, -left);
        int present = Math.min(3, width - left);
        if (skipped > 0) matrix.asSlice(at, skipped * pixelBytes).fill((byte) 0);
        if (present < 3) matrix.asSlice(at + present * pixelBytes, (3 - present) * pixelBytes).fill((byte) 0);
        long source = ((long) y * width + left + skipped) * pixelBytes;
        MemorySegment.copy(x, source, matrix, at + skipped * pixelBytes, (present - skipped) * pixelBytes);
    }

    /// The same in the picture enlarged twice, which is never stored.
    private void enlargedRow(int y, int left, MemorySegment matrix, long at, long pixelBytes) {
        for (int kx = 0; kx < 3; kx++) {
            int column = left + kx;
            long target = at + kx * pixelBytes;
            if (y < 0 || y >= 2 * height || column < 0 || column >= 2 * width) {
                matrix.asSlice(target, pixelBytes).fill((byte) 0);
            } else {
                MemorySegment.copy(x, ((long) (y / 2) * width + column / 2) * pixelBytes, matrix, target, pixelBytes);
            }
        }
    }
}
