package nocturne.qwen;

import java.util.List;

/// Pictures as the vision tower takes them in.
///
/// @param pixelValues `[patches, patchLength]`, row-major. The patches of each picture follow one another by merge
///                    cell (rows of cells, cells of a row), then row by row inside the cell; each patch is channel,
///                    frame, row, column
/// @param patchLength numbers in a patch: `3 * frames * side * side`, 1176 in the released model
/// @param grids       for each picture, how many rows and columns of patches it has
public record VisionPatches(float[] pixelValues, int patchLength, List<PatchGrid> grids) {
    public VisionPatches {
        grids = List.copyOf(grids);
        long patches = grids.stream().mapToLong(PatchGrid::patches).sum();
        if (pixelValues.length != patches * patchLength) {
            throw new IllegalArgumentException("%d numbers for %d patches of %d"
                    .formatted(pixelValues.length, patches, patchLength));
        }
    }

    /// Rows and columns of patches of one picture; both are multiples of the merge size.
    public record PatchGrid(int rows, int columns) {
        public int patches() {
            return Math.multiplyExact(rows, columns);
        }

        /// Tokens the language model sees: one per `merge` x `merge` patches.
        public int tokens(int merge) {
            return patches() / (merge * merge);
        }
    }
}
