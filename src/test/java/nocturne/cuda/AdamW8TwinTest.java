package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import nocturne.cpu.CpuBackend;
import nocturne.cuda.SimulatedDevice.Order;
import nocturne.io.DType;
import nocturne.tensor.Backend;
import nocturne.tensor.MomentCodes;
import nocturne.tensor.Optimisation.AdamW;
import nocturne.tensor.Optimisation.Moments8;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// AdamW with moments in bytes makes the bits of the CPU backend, which are those of the reference.
class AdamW8TwinTest {
    private static final AdamW SETTINGS = new AdamW(2e-3, 0.9, 0.999, 1e-6, 1e-2);

    /// Everything a training keeps: equal bytes are an equal training.
    private record State(byte[] parameters, byte[] m, byte[] v, byte[] mLargest, byte[] vLargest) {
        static State of(Backend backend, Tensor parameters, Moments8 moments) {
            return new State(bytes(backend, parameters), bytes(backend, moments.m()), bytes(backend, moments.v()),
                    bytes(backend, moments.mLargest()), bytes(backend, moments.vLargest()));
        }

        void assertSame(State other, String as) {
            assertThat(m).as("codes of m, " + as).isEqualTo(other.m);
            assertThat(v).as("codes of v, " + as).isEqualTo(other.v);
            assertThat(mLargest).as("largest of m, " + as).isEqualTo(other.mLargest);
            assertThat(vLargest).as("largest of v, " + as).isEqualTo(other.vLargest);
            assertThat(parameters).as("parameters, " + as).isEqualTo(other.parameters);
        }
    }

    private static byte[] bytes(Backend backend, Tensor tensor) {
        try (Arena memory = Arena.ofConfined()) {
            return backend.inHostMemory(tensor, memory).toArray(ValueLayout.JAVA_BYTE);
        }
    }

    private static Tensor tensor(Backend backend, TensorArena arena, DType type, int elements, MemorySegment content) {
        Tensor tensor = arena.allocate(type, elements);
        backend.fromHostMemory(content.asSlice(0, (long) elements * type.bytes()), tensor);
        return tensor;
    }

    private static Moments8 zeros(Backend backend, TensorArena arena, int count) {
        int blocks = MomentCodes.blocks(count);
        try (Arena memory = Arena.ofConfined()) {
            MemorySegment zeros = memory.allocate(4L * count);
            return new Moments8(tensor(backend, arena, DType.U8, count, zeros),
                    tensor(backend, arena, DType.U8, count, zeros), tensor(backend, arena, DType.F32, blocks, zeros),
                    tensor(backend, arena, DType.F32, blocks, zeros));
        }
    }

    /// Some steps of a tensor whose second block has no gradient at first, as in a block that nothing has reached.
    private static State afterSteps(Backend backend, int count) {
        try (TensorArena arena = backend.newArena()) {
            Tensor parameters = backend.floats(arena, Side.normal("p", count), count);
            Moments8 moments = zeros(backend, arena, count);
            Tensor gradient = arena.allocate(DType.F32, count);
            for (int step = 1; step <= 4; step++) {
                float[] numbers = Side.normal("g" + step, count);
                for (int i = 0; i < count; i++) if (i % 3 == 0) numbers[i] *= 1e-5f;
                if (step < 3 && count > 512) Arrays.fill(numbers, 256, 512, 0);
                backend.write(numbers, gradient);
                backend.optimisation().adamW8(parameters, gradient, moments, SETTINGS, step, 0.3f);
            }
            return State.of(backend, parameters, moments);
        }
    }

    /// Less than a lane has, than a block has; blocks and a ragged one; more than the blocks of one launched block.
    @ParameterizedTest
    @ValueSource(ints = {1, 31, 256, 700, 3000})
    void stepsMakeTheBitsOfTheCpu(int count) {
        State expected;
        try (CpuBackend backend = new CpuBackend(1)) {
            expected = afterSteps(backend, count);
        }
        for (Order order : Order.values()) {
            try (CudaBackend backend =
                    new CudaBackend(Simulated.device(order, 1), DType.BF16)) {
                afterSteps(TwinList.ofThisRun().watched(backend), count).assertSame(expected, order.name());
            }
        }
    }

    /// Every middle of two codes' values, which is a tie, the floats beside it, and every value.
    @Test
    void sharesOnTheLimitsTakeTheCodeThatTheCpuTakes() {
        float[] gradients = new float[MomentCodes.BLOCK * 5];
        float[] values = MomentCodes.SIGNED.values();
        for (int code = 0; code < 255; code++) {
            float middle = (float) (((double) values[code] + values[code + 1]) / 2);
            float[] near = {Math.nextDown(middle), middle, Math.nextUp(middle), values[code]};
            // With beta1 = 0 the first moment is the gradient; 1 is the block's largest, so these are the shares.
            for (int i = 0; i < near.length; i++) gradients[i * MomentCodes.BLOCK + code] = near[i];
        }
        for (int last = MomentCodes.BLOCK - 1; last < gradients.length; last += MomentCodes.BLOCK) gradients[last] = 1;
        AdamW settings = new AdamW(1e-3, 0, 0.999, 1e-6, 0);
        State[] states = new State[2];
        try (CpuBackend cpu = new CpuBackend(1);
                CudaBackend cuda = new CudaBackend(Simulated.device(Order.ASCENDING, 1), DType.F32)) {
            Backend[] backends = {cpu, cuda};
            for (int i = 0; i < 2; i++) {
                try (TensorArena arena = backends[i].newArena()) {
                    Tensor gradient = backends[i].floats(arena, gradients, gradients.length);
                    Tensor parameters = backends[i].floats(arena, gradients, gradients.length);
                    Moments8 moments = zeros(backends[i], arena, gradients.length);
                    backends[i].optimisation().adamW8(parameters, gradient, moments, settings, 1, 1);
                    states[i] = State.of(backends[i], parameters, moments);
                }
            }
        }
        states[1].assertSame(states[0], "on the device");
        assertThat(states[0].mLargest).as("largest of m").isEqualTo(
                new byte[] {0, 0, (byte) 0x80, 0x3f, 0, 0, (byte) 0x80, 0x3f, 0, 0, (byte) 0x80, 0x3f, 0, 0,
                    (byte) 0x80, 0x3f, 0, 0, (byte) 0x80, 0x3f});
    }
}
