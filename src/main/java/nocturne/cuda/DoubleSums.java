package nocturne.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Sums in double over many numbers, in two stages and always in the same order: a kernel of the caller's writes the
/// sum of each piece, then [#add] adds up the pieces and brings the results to the host. See `kernels/optimisation.cu`.
///
/// The first kernel takes [#pieces] blocks of [#THREADS] threads for each sum and a pointer to its part of [#partials].
final class DoubleSums {
    /// `SUM_THREADS` in `kernels/optimisation.cu`.
    static final int THREADS = 256;
    /// Numbers of a piece; `PIECE` in `kernels/optimisation.cu`.
    private static final int PIECE = 4096;

    private final Device device;
    private final Scratch scratch;
    private final Arguments arguments = new Arguments();
    private MemorySegment onHost = MemorySegment.NULL;

    DoubleSums(Device device, Scratch scratch) {
        this.device = device;
        this.scratch = scratch;
    }

    /// How many pieces `count` numbers are cut into.
    static int pieces(long count) {
        return Blocks.covering(count, PIECE);
    }

    /// Where the sums of pieces begin that make up sum number `sum`.
    static long offset(int sum, int pieces) {
        return (long) Double.BYTES * sum * pieces;
    }

    /// Scratch memory for the sums of pieces, double `[sums, pieces]`.
    MemorySegment partials(int sums, int pieces) {
        return scratch.bytes(offset(sums, pieces) + offset(sums, 1));
    }

    /// Adds up the pieces of each sum, and waits for the results.
    void add(MemorySegment partials, int sums, int pieces) {
        MemorySegment results = partials.asSlice(offset(sums, pieces), offset(sums, 1));
        device.launch("sum_pieces", sums, THREADS,
                arguments.start().pointer(partials).pointer(results).integer(pieces));
        if (onHost.byteSize() < results.byteSize()) onHost = Arena.ofAuto().allocate(results.byteSize(), Double.BYTES);
        device.copyOut(results, onHost.asSlice(0, results.byteSize()));
    }

    /// A result of the last [#add].
    double sum(int number) {
        return onHost.getAtIndex(ValueLayout.JAVA_DOUBLE, number);
    }
}
