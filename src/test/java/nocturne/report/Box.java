package nocturne.report;

import nocturne.image.Picture;

/// The smallest rectangle that holds all pixels of one exact colour.
final class Box {
    final int left;
    final int top;
    final int right;
    final int bottom;

    private Box(int left, int top, int right, int bottom) {
        this.left = left;
        this.top = top;
        this.right = right;
        this.bottom = bottom;
    }

    static Box of(Picture picture, int colour) {
        int left = Integer.MAX_VALUE;
        int top = Integer.MAX_VALUE;
        int right = -1;
        int bottom = -1;
        for (int y = 0; y < picture.height(); y++) {
            for (int x = 0; x < picture.width(); x++) {
                if (colour(picture, x, y) != colour) continue;
                left = Math.min(left, x);
                right = Math.max(right, x);
                top = Math.min(top, y);
                bottom = Math.max(bottom, y);
            }
        }
        if (right < 0) throw new AssertionError("no pixel has the colour %06x".formatted(colour));
        return new Box(left, top, right, bottom);
    }

    static int count(Picture picture, int colour) {
        int count = 0;
        for (int y = 0; y < picture.height(); y++) {
            for (int x = 0; x < picture.width(); x++) if (colour(picture, x, y) == colour) count++;
        }
        return count;
    }

    static int colour(Picture picture, int x, int y) {
        return picture.at(x, y, 0) << 16 | picture.at(x, y, 1) << 8 | picture.at(x, y, 2);
    }

    /// Width and height.
    int[] size() {
        return new int[] {right - left + 1, bottom - top + 1};
    }
}
