package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import nocturne.adapter.LinearShape;
import nocturne.adapter.Lora;
import nocturne.adapter.LoraLayout;
import nocturne.cpu.CpuBackend;
import nocturne.io.DType;
import nocturne.io.Safetensors;
import nocturne.tensor.Backend;
import nocturne.tensor.Linear;
import nocturne.tensor.MomentCodes;
import nocturne.tensor.Ops;
import nocturne.tensor.Optimisation.AdamW;
import nocturne.tensor.Optimisation.Moments8;
import nocturne.tensor.Philox;
import nocturne.tensor.Tape;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The 8-bit optimiser state of a whole LoRA: which factors have it, where it lies, and that it survives the disk.
class ByteMomentsTest {
    private static final int RANK = 16;
    /// A of `wide` has 16 * 300 = 4800 elements, which is no whole number of blocks; its B has 960. A of `tall` has
    /// 640, its B exactly 4096. `idle` never gets a gradient.
    private static final LinearShape WIDE = new LinearShape(60, 300);
    private static final LinearShape TALL = new LinearShape(256, 40);
    private static final LinearShape IDLE = new LinearShape(300, 300);
    private static final AdamW SETTINGS = new AdamW(1e-2, 0.9, 0.999, 1e-8, 0.01);

    private final Backend backend = new CpuBackend(2);
    private final TensorArena arena = backend.newArena();

    @AfterEach
    void close() {
        arena.close();
        backend.close();
    }

    private Lora lora() {
        SequencedMap<String, LinearShape> targets = new LinkedHashMap<>();
        targets.put("wide", WIDE);
        targets.put("idle", IDLE);
        targets.put("tall", TALL);
        Lora lora = new Lora(LoraLayout.of(targets, RANK), RANK, backend, arena);
        backend.write(numbers("start", Math.toIntExact(lora.layout().parameters())), lora.values());
        Tape tape = Tape.recording(backend, arena);
        pass(tape, lora, "wide", WIDE);
        pass(tape, lora, "tall", TALL);
        tape.backward();
        return lora;
    }

    /// Marks a layer's factors as having a gradient.
    private void pass(Tape tape, Lora lora, String layer, LinearShape shape) {
        Linear frozen = new Linear(
                backend.tensor(arena, new float[shape.out() * shape.in()], shape.out(), shape.in()), null);
        Tensor y = new Ops(tape).linear(backend.tensor(arena, numbers(layer, shape.in()), 1, shape.in()),
                frozen.with(lora.trained().on(layer)));
        Tensor target = backend.floats(arena, new float[shape.out()], 1, shape.out());
        new Ops(tape).meanSquaredError(y, target, new float[] {1}, 1);
    }

    private static float[] numbers(String name, int count) {
        float[] numbers = new float[count];
        Philox.stream(3, name).fillNormal(numbers, 0);
        return numbers;
    }

    /// Writes a step's gradient where there is one.
    private void gradient(Lora lora, int step) {
        backend.write(numbers("gradient" + step, Math.toIntExact(lora.layout().parameters())), lora.gradients());
    }

    private static float[] part(Lora.Span span, float[] whole) {
        float[] part = new float[Math.toIntExact(span.length())];
        System.arraycopy(whole, Math.toIntExact(span.from()), part, 0, part.length);
        return part;
    }

    @Test
    void largeFactorsHaveBytesAndSmallOnesFloats() {
        Lora lora = lora();
        SequencedMap<String, Tensor> state = new ByteMoments(lora, backend, arena).tensors();
        assertThat(state.keySet())
                .containsExactly("m", "v", "m_codes", "v_codes", "m_largest", "v_largest");
        int small = 960 + 640;
        int large = 4800 + 2 * 4800 + 4096;
        int blocks = 3 * 19 + 16;
        assertThat(state.sequencedValues()).extracting(Tensor::elements)
                .containsExactly((long) small, (long) small, (long) large, (long) large, (long) blocks, (long) blocks);
        assertThat(state.sequencedValues()).extracting(Tensor::type)
                .containsExactly(DType.F32, DType.F32, DType.U8, DType.U8, DType.F32, DType.F32);
    }

    /// Each factor moves as if it were alone in the world.
    @Test
    void everyFactorIsATensorOfItsOwn() {
        Lora lora = lora();
        assertThat(lora.factorsWithGradient()).hasSize(4);
        float[] before = backend.toArray(lora.values());
        List<Tensor> alone = new ArrayList<>();
        List<Object> states = new ArrayList<>();
        for (Lora.Span factor : lora.factorsWithGradient()) {
            alone.add(backend.floats(arena, part(factor, before), Math.toIntExact(factor.length())));
            states.add(factor.length() < 4096 ? floats(factor) : bytes(factor));
        }
        Moments moments = new ByteMoments(lora, backend, arena);
        for (int step = 1; step <= 4; step++) {
            gradient(lora, step);
            for (int i = 0; i < alone.size(); i++) {
                Lora.Span factor = lora.factorsWithGradient().get(i);
                step(alone.get(i), factor.of(lora.gradients()), states.get(i), step);
            }
            moments.update(lora, SETTINGS, step, 0.5f);
        }
        float[] after = backend.toArray(lora.values());
        for (int i = 0; i < alone.size(); i++) {
            assertThat(part(lora.factorsWithGradient().get(i), after)).as("factor %d", i)
                    .isEqualTo(backend.toArray(alone.get(i)));
        }
        for (Lora.Span factor : lora.factors()) {
            boolean moved = !Arrays.equals(part(factor, before), part(factor, after));
            assertThat(moved).as("%s", factor).isEqualTo(lora.factorsWithGradient().contains(factor));
        }
    }

    private void step(Tensor values, Tensor gradient, Object state, int step) {
        switch (state) {
            case Moments8 moments -> backend.optimisation().adamW8(values, gradient, moments, SETTINGS, step, 0.5f);
            case Tensor[] pair ->
                    backend.optimisation().adamW(values, gradient, pair[0], pair[1], SETTINGS, step, 0.5f);
            default -> throw new AssertionError(state);
        }
    }

    private Tensor[] floats(Lora.Span factor) {
        return new Tensor[] {zeros(DType.F32, factor.length()), zeros(DType.F32, factor.length())};
    }

    private Moments8 bytes(Lora.Span factor) {
        int blocks = MomentCodes.blocks(factor.length());
        return new Moments8(zeros(DType.U8, factor.length()), zeros(DType.U8, factor.length()),
                zeros(DType.F32, blocks), zeros(DType.F32, blocks));
    }

    private Tensor zeros(DType type, long elements) {
        Tensor tensor = arena.allocate(type, Math.toIntExact(elements));
        try (Arena memory = Arena.ofConfined()) {
            backend.fromHostMemory(memory.allocate(type.bytes() * elements), tensor);
        }
        return tensor;
    }

    /// Four steps, the state to the disk and back into fresh tensors, three more: the same bits as seven.
    @Test
    void stateFromTheDiskLeadsToTheSameBits(@TempDir Path folder) {
        Lora seven = lora();
        Moments whole = new ByteMoments(seven, backend, arena);
        for (int step = 1; step <= 7; step++) {
            gradient(seven, step);
            whole.update(seven, SETTINGS, step, 1);
        }

        Lora first = lora();
        Moments before = new ByteMoments(first, backend, arena);
        for (int step = 1; step <= 4; step++) {
            gradient(first, step);
            before.update(first, SETTINGS, step, 1);
        }
        snapshots(folder, first, before).write(4, Health.UNTRIED, Duration.ZERO);

        Lora second = lora();
        Moments after = new ByteMoments(second, backend, arena);
        assertThat(snapshots(folder, second, after).restore(4).step()).isEqualTo(4);
        for (int step = 5; step <= 7; step++) {
            gradient(second, step);
            after.update(second, SETTINGS, step, 1);
        }
        assertThat(backend.toArray(second.values())).isEqualTo(backend.toArray(seven.values()));
        try (Safetensors file = Safetensors.open(folder.resolve("step-000000004.safetensors"))) {
            assertThat(file.entry("m_codes").dtype()).isEqualTo(DType.U8);
            assertThat(file.entry("m_largest").dtype()).isEqualTo(DType.F32);
        }
    }

    private Snapshots snapshots(Path folder, Lora lora, Moments moments) {
        SequencedMap<String, Tensor> parts = new LinkedHashMap<>();
        parts.put("parameters", lora.values());
        parts.putAll(moments.tensors());
        return new Snapshots(folder, "fingerprint", 1, parts, backend);
    }

    /// A byte of the codes that changed on the disk is noticed.
    @Test
    void aDamagedByteOfTheMomentsIsNoticed(@TempDir Path folder) throws Exception {
        Lora lora = lora();
        Moments moments = new ByteMoments(lora, backend, arena);
        gradient(lora, 1);
        moments.update(lora, SETTINGS, 1, 1);
        snapshots(folder, lora, moments).write(1, Health.UNTRIED, Duration.ZERO);
        Path file = folder.resolve("step-000000001.safetensors");
        byte[] bytes = Files.readAllBytes(file);
        // Bytes come last in the file.
        bytes[bytes.length - 100] ^= 1;
        Files.write(file, bytes);
        Snapshots.Restored restored = snapshots(folder, lora, moments).restore(1);
        assertThat(restored.isThere()).isFalse();
        assertThat(restored.rejected()).extracting(Snapshots.Rejected::reason)
                .containsExactly("its numbers do not have the hash they were written with");
    }

    /// A LoRA whose factors are all small, or all large, has empty tensors in its state; they do no harm.
    @Test
    void aLoraOfSmallFactorsOnlyIsTrainedAsInFloat32(@TempDir Path folder) {
        SequencedMap<String, LinearShape> targets = new LinkedHashMap<>();
        targets.put("tall", new LinearShape(20, 40));
        Lora[] loras = new Lora[2];
        for (int i = 0; i < 2; i++) {
            loras[i] = new Lora(LoraLayout.of(targets, 4), 4, backend, arena);
            backend.write(numbers("start", 240), loras[i].values());
            Tape tape = Tape.recording(backend, arena);
            pass(tape, loras[i], "tall", new LinearShape(20, 40));
            tape.backward();
            Moments moments = i == 0 ? new ByteMoments(loras[i], backend, arena)
                    : new FloatMoments(loras[i], backend, arena);
            gradient(loras[i], 1);
            moments.update(loras[i], SETTINGS, 1, 1);
            AdamWOptimizer optimizer = new AdamWOptimizer(
                    new AdamWOptimizer.Settings(0.9, 0.999, 1e-8, 0.01, 1), moments, backend);
            assertThat(optimizer.isFinite(loras[i])).isTrue();
            Path state = folder.resolve("state" + i);
            snapshots(state, loras[i], moments).write(1, Health.UNTRIED, Duration.ZERO);
            assertThat(snapshots(state, loras[i], moments).restore(1).isThere()).isTrue();
        }
        assertThat(backend.toArray(loras[0].values())).isEqualTo(backend.toArray(loras[1].values()));
    }
}
