package nocturne.qwen;

import nocturne.qwen.VisionPatches.PatchGrid;

/// How the patches of one picture are gathered into attention windows, and where each stands.
///
/// The grid of merge cells is walked in square windows, row by row; windows at the right and lower edge are smaller.
/// Inside a window the cells follow row by row, inside a cell the patches keep their order. Source: transformers'
/// `get_window_index` of Qwen2.5-VL.
///
/// @param cells  `[cells]` in window order: the cell's number in raster order
/// @param bounds cumulative patch numbers: window `w` is patches `bounds[w] .. bounds[w + 1]` in window order
/// @param unit   patches in a cell
record PatchWindows(PatchGrid grid, int[] cells, int[] bounds, int unit) {

    static PatchWindows of(PatchGrid grid, VisionTowerConfig config) {
        int rows = grid.rows() / config.mergeSize();
        int columns = grid.columns() / config.mergeSize();
        int side = config.windowCells();
        int down = (rows + side - 1) / side;
        int across = (columns + side - 1) / side;
        int[] cells = new int[rows * columns];
        int[] bounds = new int[down * across + 1];
        int at = 0;
        for (int window = 0; window < down * across; window++) {
            int top = window / across * side;
            int left = window % across * side;
            for (int row = top; row < Math.min(top + side, rows); row++) {
                for (int column = left; column < Math.min(left + side, columns); column++) {
                    cells[at++] = row * columns + column;
                }
            }
            bounds[window + 1] = at * config.mergeUnit();
        }
        return new PatchWindows(grid, cells, bounds, config.mergeUnit());
    }

    int patches() {
        return cells.length * unit;
    }

    /// Brings blocks of `length` numbers, one a cell, from raster order into window order.
    ///
    /// @param from where the picture's first block lies in `raster`
    float[] gather(float[] raster, int from, int length) {
        float[] windows = new float[cells.length * length];
        for (int k = 0; k < cells.length; k++) {
            System.arraycopy(raster, from + cells[k] * length, windows, k * length, length);
        }
        return windows;
    }

    /// The inverse of [#gather].
    void scatter(float[] windows, float[] raster, int to, int length) {
        for (int k = 0; k < cells.length; k++) {
            System.arraycopy(windows, k * length, raster, to + cells[k] * length, length);
        }
    }

    /// The angles of every patch in window order, `[patches, headDim / 2]`: first those that turn with the patch's row,
    /// then those that turn with its column, `position * 10000^(-2i / (headDim / 2))` each.
    float[] angles(VisionTowerConfig config) {
        float[] frequencies = HalfRotation.frequencies(10000, config.headDim() / 2);
        int half = 2 * frequencies.length;
        int merge = config.mergeSize();
        int cellColumns = grid.columns() / merge;
        float[] angles = new float[patches() * half];
        for (int patch = 0; patch < patches(); patch++) {
            int cell = cells[patch / unit];
            int row = cell / cellColumns * merge + patch % unit / merge;
            int column = cell % cellColumns * merge + patch % unit % merge;
            for (int i = 0; i < frequencies.length; i++) {
                angles[patch * half + i] = row * frequencies[i];
                angles[patch * half + frequencies.length + i] = column * frequencies[i];
            }
        }
        return angles;
    }
}
