package nocturne.cpu;

import static nocturne.cpu.Lanes.COUNT;
import static nocturne.cpu.Lanes.load;
import static nocturne.cpu.Lanes.store;
import static nocturne.cpu.Lanes.upTo;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import jdk.incubator.vector.VectorMask;
import nocturne.tensor.RowMap;
import nocturne.tensor.Tensor;

/// Sums per-token contributions into the gradient of the modulation rows the tokens share.
///
/// Tokens are cut into runs of at most [#RUN] rows with one modulation row; each run sums into memory of its own, and
/// the runs are added up in token order: the same bits for any number of threads.
final class ModulationGradient {
    private static final int RUN = 64;

    /// Adds one token's contribution: `parts` consecutive vectors of `columns` floats at `partial[at]`.
    interface Contribution {
        void add(int row, int modulationRow, MemorySegment partial, long at);
    }

    private record Run(int from, int to, int modulationRow) {}

    private ModulationGradient() {}

    /// @param parts       how many modulation parts each token contributes to
    /// @param dModulation `[M, width]`, added to
    /// @param targets     the part numbers, `parts` of them, in the order the contribution writes them
    static void reduce(Workers workers, RowMap map, int columns, int parts, Contribution contribution,
            Tensor dModulation, int... targets) {
        List<Run> runs = runs(map);
        long stride = (long) parts * columns;
        MemorySegment partial = workers.scratch(0, runs.size() * stride);
        workers.run(runs.size(), (piece, worker) -> {
            Run run = runs.get(piece);
            long at = piece * stride;
            partial.asSlice(4 * at, 4 * stride).fill((byte) 0);
            for (int row = run.from; row < run.to; row++) contribution.add(row, run.modulationRow, partial, at);
        });
        for (int i = 0; i < runs.size(); i++) {
            for (int p = 0; p < parts; p++) {
                long target = (long) runs.get(i).modulationRow * dModulation.columns() + (long) targets[p] * columns;
                addRow(partial, i * stride + (long) p * columns, dModulation.data(), target, columns);
            }
        }
    }

    private static List<Run> runs(RowMap map) {
        List<Run> runs = new ArrayList<>();
        for (int b = 0; b < map.batch(); b++) {
            int base = b * map.rows();
            cut(runs, base, base + map.split(), b);
            cut(runs, base + map.split(), base + map.rows(), map.tailRow());
        }
        return runs;
    }

    private static void cut(List<Run> runs, int from, int to, int modulationRow) {
        for (int at = from; at < to; at += RUN) runs.add(new Run(at, Math.min(to, at + RUN), modulationRow));
    }

    private static void addRow(MemorySegment from, long source, MemorySegment to, long target, int columns) {
        int c = 0;
        for (; c <= columns - COUNT; c += COUNT) {
            store(load(to, target + c).add(load(from, source + c)), to, target + c);
        }
        if (c < columns) {
            VectorMask<Float> m = upTo(c, columns);
            store(load(to, target + c, m).add(load(from, source + c, m)), to, target + c, m);
        }
    }
}
