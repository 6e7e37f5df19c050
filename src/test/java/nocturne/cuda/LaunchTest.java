package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import nocturne.io.DType;
import nocturne.tensor.Elementwise;
import nocturne.tensor.RowMap;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.Test;

/// What a launch hands over, and what it costs.
class LaunchTest {
    /// Takes launches and does nothing.
    private static class IdleDevice implements Device {
        @Override
        public String name() {
            return "idle";
        }

        @Override
        public MemorySegment allocate(long bytes) {
            return Arena.ofAuto().allocate(bytes, 64);
        }

        @Override
        public void release(MemorySegment memory) {}

        @Override
        public void copyIn(MemorySegment host, MemorySegment device) {}

        @Override
        public void copyOut(MemorySegment device, MemorySegment host) {}

        @Override
        public void copy(MemorySegment from, MemorySegment to) {}

        @Override
        public MemorySegment allocateHost(long bytes) {
            return allocate(bytes);
        }

        @Override
        public long newEvent() {
            return 0;
        }

        @Override
        public void record(long event) {}

        @Override
        public void copyInLater(MemorySegment host, MemorySegment device, long after, long done) {}

        @Override
        public void waitFor(long event) {}

        @Override
        public void launch(String kernel, int gridX, int gridY, int gridZ, int blockX, int blockY, int blockZ,
                int sharedBytes, Arguments arguments) {}

        @Override
        public void close() {}
    }

    @Test
    void argumentsAreAnArrayOfAddressesOfValues() {
        MemorySegment memory = Arena.ofAuto().allocate(64);
        Arguments arguments = new Arguments();
        arguments.start().integer(9).integer(9).integer(9).integer(9).integer(9);
        arguments.start().pointer(memory).integer(-7).longInteger(1L << 40).number(0.5f);
        assertThat(arguments.signature()).isEqualTo("pilf");
        assertThat(arguments.fit("pilf")).isTrue();
        assertThat(arguments.fit("pil")).isFalse();
        assertThat(arguments.fit("pill")).isFalse();
        MemorySegment[] values = new MemorySegment[4];
        for (int i = 0; i < 4; i++) {
            long address = arguments.addresses().getAtIndex(ValueLayout.JAVA_LONG, i);
            values[i] = MemorySegment.ofAddress(address).reinterpret(8);
        }
        assertThat(values[0].get(ValueLayout.JAVA_LONG, 0)).isEqualTo(memory.address());
        assertThat(values[1].get(ValueLayout.JAVA_INT, 0)).isEqualTo(-7);
        assertThat(values[2].get(ValueLayout.JAVA_LONG, 0)).isEqualTo(1L << 40);
        assertThat(values[3].get(ValueLayout.JAVA_FLOAT, 0)).isEqualTo(0.5f);
    }

    /// Thousands of launches a step, for hours: garbage would add up.
    @Test
    void aLaunchLeavesNoGarbage() {
        try (CudaBackend backend = new CudaBackend(new IdleDevice(), DType.BF16);
                TensorArena arena = backend.newArena()) {
            Elementwise elementwise = backend.elementwise();
            Tensor x = arena.allocate(8, 64);
            Tensor modulation = arena.allocate(2, 6 * 64);
            RowMap map = RowMap.perSample(2, 4);
            Runnable launches = () -> {
                for (int i = 0; i < 1000; i++) {
                    elementwise.addScaled(x, 1, x);
                    elementwise.geluTanh(x, x);
                    elementwise.gatedResidual(x, x, modulation, 2, map, x);
                    elementwise.gatedResidualBackward(x, x, modulation, 2, map, x, modulation);
                }
            };
            launches.run();
            ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            long before = threads.getCurrentThreadAllocatedBytes();
            launches.run();
            long garbage = threads.getCurrentThreadAllocatedBytes() - before;
            assertThat(garbage).as("bytes left by 5000 launches").isLessThan(5000);
        }
    }

    @Test
    void tensorsOfDifferentTypesDoNotMeetInAKernel() {
        try (CudaBackend backend = new CudaBackend(new IdleDevice(), DType.BF16);
                TensorArena arena = backend.newArena()) {
            Tensor narrow = arena.allocate(4);
            Tensor wide = arena.allocate(DType.F32, 4);
            Tensor codes = arena.allocate(DType.U8, 4);
            Elementwise elementwise = backend.elementwise();
            assertThatThrownBy(() -> elementwise.silu(narrow, wide)).isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("silu");
            assertThatThrownBy(() -> elementwise.swiGlu(narrow, narrow, wide)).hasMessageContaining("swi_glu");
            assertThatThrownBy(() -> elementwise.fill(codes, 0)).hasMessageContaining("U8");
            assertThatThrownBy(() -> elementwise.copy(codes, wide)).hasMessageContaining("from U8 to F32");
        }
        assertThatThrownBy(() -> new CudaBackend(new IdleDevice(), DType.F16)).hasMessageContaining("F16");
    }
}
