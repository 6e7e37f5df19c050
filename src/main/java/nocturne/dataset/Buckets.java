package nocturne.dataset;

import java.util.TreeSet;

/// Chooses the size at which a picture is trained.
///
/// Free-form buckets, as in current ai-toolkit: the picture keeps its proportions as nearly as sides in multiples of
/// 32 allow (16 for the VAE and the packing of latents, times 2 because edit models halve once more), its area is at
/// most that of the resolution's square, and it is never enlarged. Among the sizes next to the ideal one, the one that
/// crops least wins; among equals, the largest.
public final class Buckets {
    /// Both sides of every bucket are multiples of this many pixels.
    public static final int MULTIPLE = 32;

    private static final int LARGEST_RESOLUTION = 16_384;

    private Buckets() {}

    /// @param resolution side of the square whose area is the limit
    /// @return a place inside the picture; enlarging only where the picture is less than 32 pixels wide or high
    public static Placement fit(int width, int height, int resolution) {
        requirePicture(width, height);
        requireUsable(resolution);
        long area = (long) resolution * resolution;
        double scale = Math.min(1, Math.sqrt((double) area / ((double) width * height)));
        int widest = floor(width);
        int highest = floor(height);
        int[] widths = around(width * scale, widest);
        int[] heights = around(height * scale, highest);
        Choice choice = new Choice(width, height);
        for (int w : widths) {
            for (int h : heights) {
                if ((long) w * h <= area) choice.offer(w, h);
            }
        }
        // Needed where a panorama is so flat that its ideal height is below one multiple.
        for (int h : heights) choice.offer(Math.min(widest, floor(area / h)), h, area);
        for (int w : widths) choice.offer(w, Math.min(highest, floor(area / w)), area);
        return Placement.covering(width, height, choice.bestWidth, choice.bestHeight);
    }

    /// Without buckets: the largest square that fits into picture and resolution.
    public static Placement square(int width, int height, int resolution) {
        requirePicture(width, height);
        requireUsable(resolution);
        int side = floor(Math.min(resolution, Math.min(width, height)));
        return Placement.covering(width, height, side, side);
    }

    /// @throws IllegalArgumentException unless it is from 32 to 16 384
    static void requireUsable(int resolution) {
        if (resolution < MULTIPLE || resolution > LARGEST_RESOLUTION) {
            throw new IllegalArgumentException("resolution " + resolution);
        }
    }

    private static void requirePicture(int width, int height) {
        if (width < 1 || height < 1) throw new IllegalArgumentException("picture %d x %d".formatted(width, height));
    }

    /// The largest multiple that is not above `size`, but at least one.
    private static int floor(long size) {
        return (int) Math.max(MULTIPLE, size / MULTIPLE * MULTIPLE);
    }

    private static int[] around(double ideal, int largest) {
        TreeSet<Integer> sizes = new TreeSet<>();
        int below = floor((long) ideal);
        sizes.add(Math.min(below, largest));
        sizes.add(Math.min(below + MULTIPLE, largest));
        return sizes.stream().mapToInt(Integer::intValue).toArray();
    }

    private static final class Choice {
        private final long width;
        private final long height;
        private int bestWidth;
        private int bestHeight;
        private double bestKept = -1;

        Choice(int width, int height) {
            this.width = width;
            this.height = height;
        }

        void offer(int w, int h, long area) {
            if ((long) w * h <= area) offer(w, h);
        }

        void offer(int w, int h) {
            // Scaled to cover, the share kept is the smaller proportion over the larger one.
            double kept = (double) Math.min(w * height, h * width) / Math.max(w * height, h * width);
            boolean larger = (long) w * h > (long) bestWidth * bestHeight;
            if (kept > bestKept || kept == bestKept && larger) {
                bestKept = kept;
                bestWidth = w;
                bestHeight = h;
            }
        }
    }
}
