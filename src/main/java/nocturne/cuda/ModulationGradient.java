package nocturne.cuda;

import java.lang.foreign.MemorySegment;
import nocturne.tensor.RowMap;
import nocturne.tensor.Tensor;

/// Adds tokens' contributions to the gradient of the modulation rows they share, in two stages: a kernel of the
/// caller's writes the sum of each run of tokens, then [#add] sums the runs, always in the same order. See
/// `kernels/modulation.cuh`.
///
/// The first kernel takes [#runs] blocks in x and a pointer to [#partials]: float32 `[runs, parts, columns]`, for up to
/// two parts of the modulation.
final class ModulationGradient {
    /// Tokens of a run; `RUN` in `kernels/modulation.cuh`.
    private static final int RUN = 32;
    private static final int BLOCK_COLUMNS = 32;
    /// `SLICES` in `kernels/elementwise.cu`.
    private static final int SLICES = 8;

    private static final StorageKernel SUM_RUNS = StorageKernel.named("modulation_gradient");

    private final Device device;
    private final Scratch scratch;
    private final Arguments arguments = new Arguments();

    ModulationGradient(Device device, Scratch scratch) {
        this.device = device;
        this.scratch = scratch;
    }

    /// How many runs the tokens of a map are cut into.
    static int runs(RowMap map) {
        return map.batch() * (Math.ceilDiv(map.split(), RUN) + Math.ceilDiv(map.rows() - map.split(), RUN));
    }

    /// Scratch memory for the sums of runs.
    MemorySegment partials(RowMap map, int parts, int columns) {
        return scratch.floats((long) runs(map) * parts * columns);
    }

    /// Puts a row map among the arguments: `int batch, int rows, int split, int tail`.
    static Arguments rowMap(Arguments arguments, RowMap map) {
        return arguments.integer(map.batch()).integer(map.rows()).integer(map.split()).integer(map.tailRow());
    }

    /// `dModulation[m, part] += sum of the runs of row m`, for one part.
    void add(MemorySegment partials, RowMap map, int columns, int part, Tensor dModulation) {
        launch(partials, map, columns, 1, part, part, dModulation);
    }

    /// The same for two parts, of which the first kernel has written both.
    void add(MemorySegment partials, RowMap map, int columns, int firstPart, int secondPart, Tensor dModulation) {
        launch(partials, map, columns, 2, firstPart, secondPart, dModulation);
    }

    private void launch(MemorySegment partials, RowMap map, int columns, int parts, int firstPart, int secondPart,
            Tensor dModulation) {
        arguments.start().pointer(partials).pointer(dModulation).integer(columns).integer(dModulation.columns())
                .integer(firstPart).integer(secondPart);
        device.launch(SUM_RUNS.on(dModulation), Blocks.covering(columns, BLOCK_COLUMNS), parts, dModulation.rows(),
                BLOCK_COLUMNS, SLICES, 1, 0, rowMap(arguments, map));
    }
}
