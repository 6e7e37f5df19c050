package nocturne.qwen;

import java.util.function.BiPredicate;

/// A picture cut into overlapping tiles of one size, whose results are blended linearly where they overlap.
///
/// All sizes are in latents. A tile at the picture's edge has no neighbour there and counts fully up to the edge.
///
/// @param height  of the picture
/// @param width   of the picture
/// @param rows    tiles on top of each other, at least 1
/// @param columns tiles side by side, at least 1
record Tiles(int height, int width, int rows, int columns) {
    /// The least that neighbours share. With the 64 pixels this stands for, seams vanish in practice.
    static final int OVERLAP = 8;
    private static final int SMALLEST = 2 * OVERLAP;

    /// Computes one tile.
    interface Piece {
        /// @return `[channels, scale * tileHeight, scale * tileWidth]`
        float[] of(int top, int left);
    }

    /// The fewest tiles that fit, cut along the longer side of a tile first.
    ///
    /// @param fits whether a tile of some height and width may be computed; the smallest tile is used even if not
    static Tiles of(int height, int width, BiPredicate<Integer, Integer> fits) {
        Tiles tiles = new Tiles(height, width, 1, 1);
        while (!fits.test(tiles.tileHeight(), tiles.tileWidth())) {
            boolean across = tiles.tileHeight() > tiles.tileWidth();
            Tiles more = across
                    ? new Tiles(height, width, tiles.rows + 1, tiles.columns)
                    : new Tiles(height, width, tiles.rows, tiles.columns + 1);
            if ((across ? more.tileHeight() : more.tileWidth()) < SMALLEST) return tiles;
            tiles = more;
        }
        return tiles;
    }

    int count() {
        return rows * columns;
    }

    int tileHeight() {
        return tileExtent(height, rows);
    }

    int tileWidth() {
        return tileExtent(width, columns);
    }

    private static int tileExtent(int extent, int tiles) {
        return (extent + (tiles - 1) * OVERLAP + tiles - 1) / tiles;
    }

    private static int start(int extent, int tiles, int index) {
        return tiles == 1 ? 0 : (int) ((long) index * (extent - tileExtent(extent, tiles)) / (tiles - 1));
    }

    /// The tiles' results, blended.
    ///
    /// @param channels of the result
    /// @param scale    of the result: how many of its pixels stand along the side of one latent
    /// @return `[channels, scale * height, scale * width]`
    float[] blend(int channels, int scale, Piece piece) {
        if (count() == 1) return piece.of(0, 0);
        int outHeight = scale * height;
        int outWidth = scale * width;
        float[] sum = new float[channels * outHeight * outWidth];
        float[] vertical = new float[outHeight];
        float[] horizontal = new float[outWidth];
        for (int row = 0; row < rows; row++) addWeights(vertical, row, rows, height, scale);
        for (int column = 0; column < columns; column++) addWeights(horizontal, column, columns, width, scale);
        for (int row = 0; row < rows; row++) {
            int top = start(height, rows, row);
            for (int column = 0; column < columns; column++) {
                int left = start(width, columns, column);
                float[] tile = piece.of(top, left);
                float[] down = weights(row, rows, height, scale, vertical);
                float[] across = weights(column, columns, width, scale, horizontal);
                for (int c = 0; c < channels; c++) {
                    for (int y = 0; y < down.length; y++) {
                        int to = (c * outHeight + scale * top + y) * outWidth + scale * left;
                        int from = (c * down.length + y) * across.length;
                        for (int x = 0; x < across.length; x++) sum[to + x] += down[y] * across[x] * tile[from + x];
                    }
                }
            }
        }
        return sum;
    }

    private static void addWeights(float[] total, int index, int tiles, int extent, int scale) {
        int start = scale * start(extent, tiles, index);
        int length = scale * tileExtent(extent, tiles);
        for (int i = 0; i < length; i++) total[start + i] += ramp(i, length, index, tiles, scale);
    }

    /// A tile's share in each of its pixels: all shares in a pixel add up to 1.
    private static float[] weights(int index, int tiles, int extent, int scale, float[] total) {
        int start = scale * start(extent, tiles, index);
        float[] weights = new float[scale * tileExtent(extent, tiles)];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = ramp(i, weights.length, index, tiles, scale) / total[start + i];
        }
        return weights;
    }

    /// Rises from a side that has a neighbour, over the overlap.
    private static float ramp(int at, int length, int index, int tiles, int scale) {
        float overlap = scale * OVERLAP;
        float before = index == 0 ? 1 : (at + 0.5f) / overlap;
        float behind = index == tiles - 1 ? 1 : (length - at - 0.5f) / overlap;
        return Math.min(1, Math.min(before, behind));
    }
}
