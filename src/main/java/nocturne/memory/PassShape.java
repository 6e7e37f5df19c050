package nocturne.memory;

import java.util.List;
import nocturne.qwen.Grid;

/// What decides the memory of a pass through the transformer.
///
/// @param batch    samples
/// @param grids    token sizes of the target and of each control
/// @param textRows of a sample, padding included
/// @param padded   whether some samples' texts are shorter than that
public record PassShape(int batch, List<Grid> grids, int textRows, boolean padded) {
    public PassShape {
        grids = List.copyOf(grids);
        if (batch < 1 || grids.isEmpty() || textRows < 1) {
            throw new IllegalArgumentException("a pass of %d samples, %s, %d rows of text".formatted(
                    batch, grids, textRows));
        }
    }

    /// Of one sample without controls.
    public static PassShape of(Grid grid, int textRows) {
        return new PassShape(1, List.of(grid), textRows, false);
    }

    /// Tokens of a sample, text included.
    public int tokens() {
        return textRows + grids.stream().mapToInt(Grid::tokens).sum();
    }
}
