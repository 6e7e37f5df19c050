package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import nocturne.cpu.CpuBackend;
import nocturne.io.DType;
import nocturne.tensor.Backend;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Elements of any type to a device and back, byte for byte: codes of weights, codes of moments, a run's state.
class HostMemoryTest {
    static Stream<Named<Supplier<Backend>>> backends() {
        return Stream.of(Named.of("cpu", () -> new CpuBackend(1)),
                Named.of("cuda", () -> new CudaBackend(new SimulatedDevice(), DType.BF16)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("backends")
    void bytesComeBackAsTheyWent(Supplier<Backend> device) {
        try (Backend backend = device.get(); TensorArena arena = backend.newArena();
                Arena memory = Arena.ofConfined()) {
            for (DType type : List.of(DType.U8, DType.F8_E4M3, DType.BF16, DType.F32)) {
                Tensor tensor = arena.allocate(type, 3, 37);
                byte[] bytes = new byte[type.bytes() * 3 * 37];
                for (int i = 0; i < bytes.length; i++) bytes[i] = (byte) (31 * i + type.ordinal());
                backend.fromHostMemory(memory.allocateFrom(ValueLayout.JAVA_BYTE, bytes), tensor);
                assertThat(backend.inHostMemory(tensor, memory).asSlice(0, bytes.length)
                        .toArray(ValueLayout.JAVA_BYTE)).as("%s", type).isEqualTo(bytes);
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("backends")
    void anotherNumberOfBytesIsRefused(Supplier<Backend> device) {
        try (Backend backend = device.get(); TensorArena arena = backend.newArena();
                Arena memory = Arena.ofConfined()) {
            Tensor tensor = arena.allocate(DType.U8, 10);
            MemorySegment tooMany = memory.allocate(11);
            assertThatThrownBy(() -> backend.fromHostMemory(tooMany, tensor))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("11 bytes for Tensor");
        }
    }
}
