package nocturne.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import nocturne.adapter.AdapterModule.LowRank;
import nocturne.cpu.CpuBackend;
import nocturne.cuda.Simulated;
import nocturne.golden.Golden;
import nocturne.io.DType;
import nocturne.io.SafetensorsWriter;
import nocturne.io.TensorData;
import nocturne.io.TensorSource;
import nocturne.ledger.Ledger;
import nocturne.problem.UserMistake;
import nocturne.tensor.Adapters;
import nocturne.tensor.Backend;
import nocturne.tensor.Linear;
import nocturne.tensor.Ops;
import nocturne.tensor.Philox;
import nocturne.tensor.Tape;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What `qtype: uint3|file` brings beside the format.
class RecoveryAdapterTest {
    private static final String LAYER = "transformer_blocks.0.attn.to_q";
    private static final TensorSource GOLDEN = Golden.tensors("golden2/ara_linear.safetensors");

    private final Path file;

    RecoveryAdapterTest(@TempDir Path folder) {
        file = folder.resolve("ara.safetensors");
    }

    private static SequencedMap<String, LinearShape> legal() {
        SequencedMap<String, LinearShape> legal = new LinkedHashMap<>();
        legal.put(LAYER, new LinearShape(20, 256));
        legal.put("transformer_blocks.0.attn.to_k", new LinearShape(20, 256));
        return legal;
    }

    private static TensorData copy(String name, String golden) {
        return TensorData.floats(name, DType.BF16, GOLDEN.entry(golden).shape(), GOLDEN.floats(golden));
    }

    private void write(String prefix, TensorData... more) {
        List<TensorData> tensors = new ArrayList<>(List.of(more));
        tensors.add(copy(prefix + LAYER + ".lora_A.weight", "ara.lora_A.weight"));
        tensors.add(copy(prefix + LAYER + ".lora_B.weight", "ara.lora_B.weight"));
        SafetensorsWriter.write(file, Map.of(), tensors);
    }

    @ParameterizedTest
    @ValueSource(strings = {"diffusion_model.", "transformer."})
    void exactlyTheLayersOfTheFileAreNamed(String prefix) {
        write(prefix);
        RecoveryAdapter adapter = RecoveryAdapter.read(file, legal());
        assertThat(adapter.names()).containsExactly(LAYER);
        LowRank low = (LowRank) adapter.modules().sequencedValues().getFirst();
        assertThat(low.rank()).isEqualTo(16);
        assertThat(low.down()).isEqualTo(GOLDEN.floats("ara.lora_A.weight"));
        assertThat(low.up()).isEqualTo(GOLDEN.floats("ara.lora_B.weight"));
        assertThat(low.scale()).isEqualTo(1);
    }

    /// An ordinary adapter with alpha 4 and rank 16 would have the scale 1/4.
    @Test
    void aStoredAlphaChangesNothing() {
        write("diffusion_model.", TensorData.floats(
                "diffusion_model." + LAYER + ".alpha", DType.F32, List.of(), new float[] {4}));
        RecoveryAdapter adapter = RecoveryAdapter.read(file, legal());
        assertThat(((LowRank) adapter.modules().sequencedValues().getFirst()).scale()).isEqualTo(1);
    }

    /// The reference's output of a layer in 3 bits, alone, with the recovery adapter, and with a user's LoRA beside it.
    /// Its sums are in float32 in another order: 1e-5 of values near 1.
    @Test
    @Ledger("S1-14")
    void theOutputIsThatOfTheReference() {
        write("diffusion_model.");
        try (Backend backend = new CpuBackend(1); TensorArena arena = backend.newArena()) {
            Adapters recovery = RecoveryAdapter.read(file, legal()).beside(backend, arena);
            Tensor weight = tensor(backend, arena, "weight_dq_uint3");
            Linear layer = new Linear(weight, tensor(backend, arena, "bias"));
            Adapters user = module -> List.of(new Linear.LowRank(tensor(backend, arena, "user.lora_A.weight"),
                    tensor(backend, arena, "user.lora_B.weight"), 8 / 4f));
            assertOutput(backend, arena, layer, "y_quant_only");
            assertOutput(backend, arena, layer.with(recovery.and(Adapters.NONE).on(LAYER)), "y_with_ara");
            assertOutput(backend, arena, layer.with(recovery.and(user).on(LAYER)), "y_with_ara_and_user_alpha8");
            assertThat(recovery.on("transformer_blocks.0.attn.to_k")).isEmpty();
        }
    }

    private static Tensor tensor(Backend backend, TensorArena arena, String name) {
        int[] dims = GOLDEN.entry(name).shape().stream().mapToInt(Long::intValue).toArray();
        return backend.tensor(arena, GOLDEN.floats(name), dims);
    }

    private static void assertOutput(Backend backend, TensorArena arena, Linear layer, String expected) {
        Tensor y = new Ops(Tape.inference(backend, arena)).linear(tensor(backend, arena, "x"), layer);
        assertThat(Golden.maxAbsDiff(backend.toArray(y), GOLDEN.floats(expected))).as(expected).isLessThan(1e-5);
    }

    /// A LoKr, beside a layer on both devices, adds what its product would, were it multiplied out: sums of 256 terms
    /// in another order, near 1.
    @Test
    void aLoKrAddsItsProduct() {
        String prefix = "lycoris_" + LAYER.replace('.', '_');
        SafetensorsWriter.write(file, Map.of(), List.of(
                TensorData.floats(prefix + ".lokr_w1", DType.F32, List.of(4L, 4L), numbers("w1", 16)),
                TensorData.floats(prefix + ".lokr_w2", DType.F32, List.of(5L, 64L), numbers("w2", 320))));
        RecoveryAdapter adapter = RecoveryAdapter.read(file, legal());
        assertThat(adapter.names()).containsExactly(LAYER);
        float[] delta = adapter.modules().sequencedValues().getFirst().delta();
        for (Backend device : List.of(new CpuBackend(1), Simulated.backend(DType.F32))) {
            try (device; TensorArena arena = device.newArena()) {
                Tensor weight = tensor(device, arena, "weight_dq_uint3");
                Tensor x = tensor(device, arena, "x");
                Ops ops = new Ops(Tape.inference(device, arena));
                Tensor y = ops.linear(x, new Linear(weight, null).with(adapter.beside(device, arena).on(LAYER)));
                device.elementwise().addScaled(device.tensor(arena, delta, 20, 256), 1, weight);
                Tensor whole = ops.linear(x, new Linear(weight, null));
                assertThat(Golden.maxAbsDiff(device.toArray(y), device.toArray(whole))).isLessThan(1e-4);
            }
        }
    }

    private static float[] numbers(String name, int count) {
        float[] numbers = new float[count];
        Philox.stream(3, name).fillNormal(numbers, 0);
        for (int i = 0; i < count; i++) numbers[i] *= 0.2f;
        return numbers;
    }

    @Test
    void aLayerThatTheModelDoesNotHaveIsTold() {
        write("diffusion_model.other.");
        assertThatThrownBy(() -> RecoveryAdapter.read(file, legal()))
                .isInstanceOf(UserMistake.class).hasMessageContaining("not an adapter for this model");
    }
}
