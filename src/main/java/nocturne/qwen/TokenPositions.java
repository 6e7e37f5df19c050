package nocturne.qwen;

import java.util.List;
import nocturne.qwen.VisionPatches.PatchGrid;

/// Where each token of a prompt stands for the language model: in time, row and column.
///
/// Words stand at the same number on all three axes. A picture's tokens share one time and spread over rows and
/// columns, so that two pieces are as far apart as they are in the picture.
///
/// Source: "Qwen2-VL", arXiv:2409.12191, section 2.1.
///
/// @param axes three arrays of one number a token: time, row, column
record TokenPositions(int[][] axes) {
    TokenPositions {
        if (axes.length != 3 || axes[0].length != axes[1].length || axes[0].length != axes[2].length) {
            throw new IllegalArgumentException("positions are three arrays of one length");
        }
    }

    int tokens() {
        return axes[0].length;
    }

    /// 0, 1, 2, ... on all axes, pictures or not. Right for words alone; for pictures it is what transformers 5 gives
    /// the edit pipelines, which do not tell it what is a picture (huggingface/diffusers#14194): kept to explain such
    /// numbers.
    static TokenPositions flat(int tokens) {
        int[] counted = new int[tokens];
        for (int i = 0; i < tokens; i++) counted[i] = i;
        return new TokenPositions(new int[][] {counted, counted, counted});
    }

    /// With a running number `c`: a word gets `(c, c, c)` and counts one on; a picture of `H x W` merge cells gives
    /// cell `(a, b)` the triple `(c, c + a, c + b)`, then counts on by the larger side.
    ///
    /// @param grids the pictures, in the order of their runs of `imageToken` in `ids`
    static TokenPositions of(int[] ids, int imageToken, List<PatchGrid> grids, int mergeSize) {
        int[][] axes = new int[3][ids.length];
        int counter = 0;
        int picture = 0;
        int at = 0;
        while (at < ids.length) {
            if (ids[at] != imageToken || grids.isEmpty()) {
                for (int[] axis : axes) axis[at] = counter;
                counter++;
                at++;
                continue;
            }
            if (picture == grids.size()) throw new IllegalArgumentException("more picture tokens than pictures");
            PatchGrid grid = grids.get(picture++);
            int rows = grid.rows() / mergeSize;
            int columns = grid.columns() / mergeSize;
            for (int cell = 0; cell < rows * columns; cell++, at++) {
                if (at == ids.length || ids[at] != imageToken) {
                    throw new IllegalArgumentException("picture %d has fewer tokens than its grid".formatted(picture));
                }
                axes[0][at] = counter;
                axes[1][at] = counter + cell / columns;
                axes[2][at] = counter + cell % columns;
            }
            counter += Math.max(rows, columns);
        }
        if (picture != grids.size()) throw new IllegalArgumentException("fewer picture tokens than pictures");
        return new TokenPositions(axes);
    }

    /// The angle of every frequency for every token, `[tokens, headDim / 2]`: `theta^(-2i / headDim)` times the
    /// position on the axis that frequency `i` follows.
    ///
    /// @param sections how many frequencies follow time, row and column
    float[] angles(double theta, List<Integer> sections) {
        int half = sections.stream().mapToInt(s -> s).sum();
        float[] frequencies = HalfRotation.frequencies(theta, 2 * half);
        float[] angles = new float[tokens() * half];
        for (int token = 0; token < tokens(); token++) {
            int i = 0;
            for (int axis = 0; axis < 3; axis++) {
                for (int end = i + sections.get(axis); i < end; i++) {
                    angles[token * half + i] = axes[axis][token] * frequencies[i];
                }
            }
        }
        return angles;
    }
}
