package nocturne.image.vp8;

import java.util.Arrays;

/// How the macroblock at hand is predicted, and what its neighbours need to be remembered by.
///
/// Source: RFC 6386, sections 11.2 to 11.4.
final class Modes {
    private static final int PROBABILITIES = 9;

    /// Sub-block modes along the bottom of the row above and the right of the block before.
    private final int[] above;
    private final int[] left = new int[4];
    private final int[] subBlocks = new int[16];
    private int luma;
    private int chroma;

    Modes(int columns) {
        above = new int[4 * columns];
    }

    void startRow() {
        Arrays.fill(left, Tables.B_DC);
    }

    void read(BoolReader in, int column) {
        luma = in.tree(Tables.LUMA_TREE, Tables.LUMA_PROBABILITIES, 0);
        if (isSplit()) {
            for (int i = 0; i < 16; i++) {
                int context = (above[4 * column + i % 4] * 10 + left[i / 4]) * PROBABILITIES;
                int mode = in.tree(Tables.SUB_BLOCK_TREE, Tables.MODES, context);
                subBlocks[i] = mode;
                above[4 * column + i % 4] = mode;
                left[i / 4] = mode;
            }
        } else {
            int alike = switch (luma) {
                case Tables.VERTICAL -> Tables.B_VERTICAL;
                case Tables.HORIZONTAL -> Tables.B_HORIZONTAL;
                case Tables.TRUE_MOTION -> Tables.B_TRUE_MOTION;
                default -> Tables.B_DC;
            };
            Arrays.fill(above, 4 * column, 4 * column + 4, alike);
            Arrays.fill(left, alike);
        }
        chroma = in.tree(Tables.CHROMA_TREE, Tables.CHROMA_PROBABILITIES, 0);
    }

    boolean isSplit() {
        return luma == Tables.SPLIT;
    }

    int luma() {
        return luma;
    }

    int chroma() {
        return chroma;
    }

    int subBlock(int index) {
        return subBlocks[index];
    }
}
