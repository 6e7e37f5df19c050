package nocturne.qwen;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import nocturne.tensor.Rotation;
import nocturne.tensor.Tape;

/// Where each token of a joint sequence stands, as rotary angles on three axes: frame, row, column.
///
/// Picture `k` (the target is 0, controls follow) has frame position `k`; its rows run from `-(h - h/2)` to
/// `h/2 - 1`, columns likewise. Text token `j` stands at `M + j` on all three axes, `M` being the largest half extent
/// of any picture. Axis `a` of size `n` turns by `position * 10000^(-2i/n)`. Source: diffusers' `QwenEmbedRope`.
final class RotaryPositions {
    private static final double THETA = 10000;
    private static final int REMEMBERED = 16;

    /// Cosines and signed sines of one sequence, `[positions, headDim]`.
    private record Table(float[] cos, float[] sin) {}

    private record Key(int textLength, List<Grid> grids) {}

    private final List<Integer> axes;
    private final int headDim;
    private final Map<Key, Table> recent = new LinkedHashMap<>(REMEMBERED, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Key, Table> eldest) {
            return size() > REMEMBERED;
        }
    };

    RotaryPositions(List<Integer> axes) {
        this.axes = axes;
        this.headDim = axes.stream().mapToInt(Integer::intValue).sum();
    }

    /// The angles of `[text, pictures]`, in the tape's arena.
    Rotation of(Tape tape, int textLength, List<Grid> grids) {
        Table table = recent.computeIfAbsent(new Key(textLength, List.copyOf(grids)), this::compute);
        int positions = table.cos.length / headDim;
        return new Rotation(
                tape.backend().floats(tape.arena(), table.cos, positions, headDim),
                tape.backend().floats(tape.arena(), table.sin, positions, headDim));
    }

    private Table compute(Key key) {
        int positions = key.textLength + key.grids.stream().mapToInt(Grid::tokens).sum();
        Table table = new Table(new float[positions * headDim], new float[positions * headDim]);
        int halfExtent = key.grids.stream().mapToInt(g -> Math.max(g.rows() / 2, g.columns() / 2)).max().orElse(0);
        int at = 0;
        for (int j = 0; j < key.textLength; j++) place(table, at++, halfExtent + j, halfExtent + j, halfExtent + j);
        for (int k = 0; k < key.grids.size(); k++) {
            Grid grid = key.grids.get(k);
            for (int y = 0; y < grid.rows(); y++) {
                for (int x = 0; x < grid.columns(); x++) {
                    place(table, at++, k, y - (grid.rows() - grid.rows() / 2),
                            x - (grid.columns() - grid.columns() / 2));
                }
            }
        }
        return table;
    }

    private void place(Table table, int token, int... position) {
        int c = token * headDim;
        for (int axis = 0; axis < axes.size(); axis++) {
            for (int i = 0; i < axes.get(axis) / 2; i++, c += 2) {
                double angle = position[axis] * StrictMath.pow(THETA, -2.0 * i / axes.get(axis));
                float cos = (float) StrictMath.cos(angle);
                float sin = (float) StrictMath.sin(angle);
                table.cos[c] = cos;
                table.cos[c + 1] = cos;
                table.sin[c] = -sin;
                table.sin[c + 1] = sin;
            }
        }
    }
}
