package nocturne.golden;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import nocturne.io.DType;
import nocturne.io.TensorSource;
import nocturne.tensor.Backend;
import nocturne.tensor.MomentCodes;
import nocturne.tensor.Optimisation.AdamW;
import nocturne.tensor.Optimisation.Moments8;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// bitsandbytes' AdamW8bit, bit for bit over twenty steps: parameters, codes and largest values. Each backend has a
/// test of its own that extends this.
///
/// One tensor has a gradient of zeros at its first step, as every up-projection's neighbour has; one ends in a short
/// block.
public abstract class AdamW8Golden {
    protected static final TensorSource GOLDEN = Golden.tensors("golden2/adamw8bit.safetensors");
    protected static final JsonNode META = Golden.json("golden2/adamw8bit_meta.json");
    private static final int LEAST_ELEMENTS = 4096;
    private static final int STEPS = META.path("steps").intValue();
    protected static final AdamW SETTINGS = new AdamW(META.path("lr").doubleValue(), META.at("/betas/0").doubleValue(),
            META.at("/betas/1").doubleValue(), META.path("eps").doubleValue(),
            META.path("weight_decay").doubleValue());

    static Stream<Integer> large() {
        return sizes().filter(size -> size >= LEAST_ELEMENTS);
    }

    static Stream<Integer> small() {
        return sizes().filter(size -> size < LEAST_ELEMENTS);
    }

    private static Stream<Integer> sizes() {
        return StreamSupport.stream(META.path("sizes").spliterator(), false).map(JsonNode::intValue);
    }

    /// A new backend, which the caller closes.
    protected abstract Backend backend();

    private static float[] gradient(int size, int step) {
        float[] base = GOLDEN.floats("n%d.grad_base".formatted(size));
        float[] gradient = new float[size];
        boolean zero = step == 1 && StreamSupport.stream(META.path("zero_grad_at_step1_sizes").spliterator(), false)
                .anyMatch(other -> other.intValue() == size);
        float factor = Math.scalb(1f, step % 5 - 2);
        for (int i = 0; i < size && !zero; i++) gradient[i] = base[Math.floorMod(i - 37 * step, size)] * factor;
        return gradient;
    }

    @ParameterizedTest(name = "{0} elements")
    @MethodSource("large")
    void everyStepFollowsTheReference(int size) {
        try (Backend backend = backend(); TensorArena arena = backend.newArena()) {
            Tensor p = backend.floats(arena, GOLDEN.floats("n%d.param0".formatted(size)), size);
            Tensor g = arena.allocate(DType.F32, size);
            Moments8 moments = new Moments8(zeros(backend, arena, DType.U8, size),
                    zeros(backend, arena, DType.U8, size),
                    zeros(backend, arena, DType.F32, MomentCodes.blocks(size)),
                    zeros(backend, arena, DType.F32, MomentCodes.blocks(size)));
            int compared = 0;
            for (int step = 1; step <= STEPS; step++) {
                backend.write(gradient(size, step), g);
                backend.optimisation().adamW8(p, g, moments, SETTINGS, step, 1);
                String golden = "n%d.cpu.step%d.".formatted(size, step);
                compared += compareFloats(backend, p, golden + "param");
                compared += compareFloats(backend, moments.mLargest(), golden + "absmax1");
                compared += compareFloats(backend, moments.vLargest(), golden + "absmax2");
                compared += compareCodes(backend, moments.m(), golden + "state1");
                compared += compareCodes(backend, moments.v(), golden + "state2");
            }
            long stored = GOLDEN.tensors().keySet().stream()
                    .filter(name -> name.startsWith("n%d.cpu.".formatted(size))).count();
            assertThat(compared).as("tensors compared").isEqualTo((int) stored).isPositive();
        }
    }

    protected static Tensor zeros(Backend backend, TensorArena arena, DType type, int elements) {
        Tensor tensor = arena.allocate(type, elements);
        try (Arena memory = Arena.ofConfined()) {
            backend.fromHostMemory(memory.allocate((long) type.bytes() * elements), tensor);
        }
        return tensor;
    }

    /// @return 1 if the golden file has these numbers
    private static int compareFloats(Backend backend, Tensor ours, String golden) {
        if (!GOLDEN.has(golden)) return 0;
        assertThat(backend.toArray(ours)).as(golden).isEqualTo(GOLDEN.floats(golden));
        return 1;
    }

    private static int compareCodes(Backend backend, Tensor ours, String golden) {
        if (!GOLDEN.has(golden)) return 0;
        try (Arena memory = Arena.ofConfined()) {
            assertThat(backend.inHostMemory(ours, memory).toArray(ValueLayout.JAVA_BYTE)).as(golden)
                    .isEqualTo(GOLDEN.bytes(golden).toArray(ValueLayout.JAVA_BYTE));
        }
        return 1;
    }

    /// Below the limit the reference keeps float32; so do we, by the ordinary update.
    @ParameterizedTest(name = "{0} elements")
    @MethodSource("small")
    void smallTensorsFollowTheReferenceInFloat32(int size) {
        try (Backend backend = backend(); TensorArena arena = backend.newArena()) {
            Tensor p = backend.floats(arena, GOLDEN.floats("n%d.param0".formatted(size)), size);
            Tensor m = zeros(backend, arena, DType.F32, size);
            Tensor v = zeros(backend, arena, DType.F32, size);
            Tensor g = arena.allocate(DType.F32, size);
            for (int step = 1; step <= STEPS; step++) {
                backend.write(gradient(size, step), g);
                backend.optimisation().adamW(p, g, m, v, SETTINGS, step, 1);
                String golden = "n%d.cpu.step%d.".formatted(size, step);
                if (GOLDEN.has(golden + "param")) compare(backend, p, golden + "param");
                if (GOLDEN.has(golden + "state1")) compare(backend, m, golden + "state1");
                if (GOLDEN.has(golden + "state2")) compare(backend, v, golden + "state2");
            }
        }
    }

    private static void compare(Backend backend, Tensor ours, String golden) {
        assertThat(Golden.maxAbsDiff(backend.toArray(ours), GOLDEN.floats(golden))).as(golden).isLessThan(1e-7);
    }
}
