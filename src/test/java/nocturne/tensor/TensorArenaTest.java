package nocturne.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import nocturne.io.DType;
import org.junit.jupiter.api.Test;

class TensorArenaTest {
    /// Remembers what is out.
    private static final class Memory implements TensorArena.Source {
        final List<MemorySegment> out = new ArrayList<>();
        int taken;

        @Override
        public MemorySegment allocate(long bytes) {
            MemorySegment block = Arena.ofAuto().allocate(bytes, 64);
            out.add(block);
            taken++;
            return block;
        }

        @Override
        public void release(MemorySegment block) {
            assertThat(out.removeIf(b -> b.address() == block.address())).isTrue();
        }
    }

    private final Memory memory = new Memory();
    private final TensorArena arena = new TensorArena(memory, DType.F32);

    @Test
    void tensorsAreAlignedAndDoNotOverlap() {
        long end = 0;
        for (int size : new int[] {1, 16, 17, 0, 1000}) {
            Tensor tensor = arena.allocate(size);
            long address = tensor.data().address();
            assertThat(address % 64).isZero();
            assertThat(tensor.data().byteSize()).isEqualTo(4L * size);
            assertThat(address).isGreaterThanOrEqualTo(end);
            end = address + 4L * size;
        }
    }

    /// A second round of the same work takes nothing more from the system and lands in the same places.
    @Test
    void aScopeGivesBackWhatWasAllocatedInIt() {
        List<List<Long>> rounds = new ArrayList<>();
        int taken = 0;
        long peak = 0;
        for (int round = 0; round < 3; round++) {
            List<Long> addresses = new ArrayList<>();
            try (TensorArena.Scope outer = arena.scope()) {
                for (int i = 0; i < 6; i++) {
                    // 3 MB each: blocks of 4 MB at least cannot hold two.
                    addresses.add(arena.allocate(750_000).data().address());
                    try (TensorArena.Scope inner = arena.scope()) {
                        addresses.add(arena.allocate(2_000_000).data().address());
                    }
                }
            }
            rounds.add(addresses);
            if (round == 0) {
                taken = memory.taken;
                peak = arena.peakBytes();
            }
        }
        assertThat(rounds.get(1)).isEqualTo(rounds.get(0));
        assertThat(rounds.get(2)).isEqualTo(rounds.get(0));
        assertThat(memory.taken).isEqualTo(taken);
        assertThat(arena.peakBytes()).isEqualTo(peak).isBetween(4L * (6 * 750_000 + 2_000_000), arena.reservedBytes());
    }

    @Test
    void thePeakIsTheMostThatWasInUseAtOnce() {
        arena.allocate(16);
        for (int i = 0; i < 5; i++) {
            try (TensorArena.Scope scope = arena.scope()) {
                arena.allocate(16 * (i + 1));
            }
        }
        assertThat(arena.peakBytes()).isEqualTo(64 + 5 * 64);
    }

    @Test
    void closingGivesEverythingBackAndTheArenaStartsAnew() {
        arena.allocate(5_000_000);
        arena.allocate(5_000_000);
        long peak = arena.peakBytes();
        arena.close();
        assertThat(memory.out).isEmpty();
        arena.allocate(16);
        assertThat(arena.peakBytes()).isEqualTo(peak);
        arena.close();
        assertThat(memory.out).isEmpty();
    }
}
