package nocturne.memory;

import nocturne.adapter.LoraLayout;
import nocturne.io.DType;
import nocturne.tensor.MomentCodes;
import nocturne.tensor.TensorArena;

/// The elements of what is trained, apart from the values and their gradients.
///
/// @param floats of moments in float32, each of the two
/// @param bytes  of moments in bytes, each of the two
/// @param blocks of those
/// @param average of the moving average
/// @param inBytes whether there is room for bytes, perhaps none
record TrainedBytes(long floats, long bytes, long blocks, long average, boolean inBytes) {
    static TrainedBytes of(Workload.Trained trained) {
        LoraLayout layout = trained.layout();
        long average = trained.averaged() ? layout.parameters() : 0;
        if (!trained.inBytes()) return new TrainedBytes(layout.parameters(), 0, 0, average, false);
        long floats = 0;
        long bytes = 0;
        long blocks = 0;
        for (LoraLayout.Slot slot : layout.slots()) {
            for (long factor : new long[] {(long) layout.rank() * slot.in(), (long) slot.out() * layout.rank()}) {
                if (factor < MomentCodes.LEAST_ELEMENTS) {
                    floats += factor;
                } else {
                    bytes += factor;
                    blocks += MomentCodes.blocks(factor);
                }
            }
        }
        return new TrainedBytes(floats, bytes, blocks, average, true);
    }

    long optimizer() {
        return 2 * (Float.BYTES * floats + bytes + Float.BYTES * blocks);
    }

    /// Takes the memory as the optimiser and the average do.
    void allocateState(TensorArena arena) {
        for (int moment = 0; moment < 2; moment++) {
            arena.allocate(DType.F32, Math.toIntExact(floats));
            if (!inBytes) continue;
            arena.allocate(DType.U8, Math.toIntExact(bytes));
            arena.allocate(DType.F32, Math.toIntExact(blocks));
        }
        if (average > 0) arena.allocate(DType.F32, Math.toIntExact(average));
    }
}
