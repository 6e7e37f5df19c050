package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import nocturne.adapter.LinearShape;
import nocturne.adapter.Lora;
import nocturne.adapter.LoraLayout;
import nocturne.adapter.LoraTargets;
import nocturne.cpu.CpuBackend;
import nocturne.cuda.Simulated;
import nocturne.golden.Golden;
import nocturne.io.DType;
import nocturne.io.SafetensorsWriter;
import nocturne.io.TensorData;
import nocturne.problem.UserMistake;
import nocturne.quant.LayerFormats;
import nocturne.quant.WeightType;
import nocturne.qwen.Grid;
import nocturne.qwen.Loading;
import nocturne.qwen.ModelFolder;
import nocturne.qwen.QwenImageTransformer;
import nocturne.qwen.Residency;
import nocturne.qwen.TransformerInput;
import nocturne.recipe.Architecture;
import nocturne.recipe.ModelRecipe;
import nocturne.recipe.WeightFormat;
import nocturne.tensor.Adapters;
import nocturne.tensor.Backend;
import nocturne.tensor.Philox;
import nocturne.tensor.Tape;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Which numbers the model that is trained on has: those of a format, in which layers, and with what beside them.
class FrozenWeightsTest {
    private static final ModelFolder MODEL = ModelFolder.open(ShortRun.MODEL);
    private static final String LAYER = "transformer_blocks.2.img_mlp.net.0.proj";
    private static final int RANK = 4;

    private final Path file;
    private final Backend backend = new CpuBackend(2);
    private final TensorArena weights = backend.newArena();
    private final TensorArena passes = backend.newArena();

    FrozenWeightsTest(@TempDir Path folder) {
        file = folder.resolve("ara.safetensors");
    }

    @AfterEach
    void close() {
        passes.close();
        weights.close();
        backend.close();
    }

    private static SequencedMap<String, LinearShape> layers() {
        return LoraTargets.of(MODEL.transformerConfig().layers(), MODEL.transformerConfig().width());
    }

    private static FrozenWeights asked(@Nullable WeightType type, @Nullable Path recovery) {
        return asked(type, recovery, MODEL);
    }

    private static FrozenWeights asked(@Nullable WeightType type, @Nullable Path recovery, ModelFolder model) {
        WeightFormat format = type == null ? null : new WeightFormat(type, recovery == null ? null : "ara");
        return FrozenWeights.of(new ModelRecipe("tiny", Architecture.QWEN_IMAGE, format, null, false, false),
                recovery, model.transformerConfig(), model.storedFormats());
    }

    /// What a transformer makes of an input that is always the same.
    private float[] output(QwenImageTransformer transformer) {
        return output(transformer, backend, passes);
    }

    private static float[] output(QwenImageTransformer transformer, Backend device, TensorArena arena) {
        try (TensorArena.Scope scope = arena.scope()) {
            Grid grid = new Grid(4, 4);
            TransformerInput input = new TransformerInput(
                    numbers("tokens", grid.tokens(), transformer.config().tokenWidth(), device, arena),
                    numbers("text", 5, transformer.config().textWidth(), device, arena), new int[] {5},
                    new float[] {0.6f}, List.of(grid));
            return device.toArray(transformer.forward(Tape.inference(device, arena), input, Tape.Keep.ALL));
        }
    }

    private static Tensor numbers(String name, int rows, int columns, Backend device, TensorArena arena) {
        float[] numbers = new float[rows * columns];
        Philox.stream(5, name).fillNormal(numbers, 0);
        return device.tensor(arena, numbers, rows, columns);
    }

    private float[] output(FrozenWeights frozen) {
        return output(frozen, MODEL);
    }

    private float[] output(FrozenWeights frozen, ModelFolder model) {
        return output(frozen.load(model, null, notice -> {}, Residency.ALL, backend, weights));
    }

    private void writeRecovery(float up) throws IOException {
        LinearShape shape = layers().get(LAYER);
        float[] a = new float[RANK * shape.in()];
        float[] b = new float[shape.out() * RANK];
        Philox.stream(9, "down").fillNormal(a, 0);
        Arrays.fill(b, up);
        Files.deleteIfExists(file);
        SafetensorsWriter.write(file, Map.of(), List.of(
                TensorData.floats("transformer." + LAYER + ".lora_A.weight", DType.BF16,
                        List.of((long) RANK, (long) shape.in()), a),
                TensorData.floats("transformer." + LAYER + ".lora_B.weight", DType.BF16,
                        List.of((long) shape.out(), (long) RANK), b)));
    }

    @Test
    void withoutAFormatTheWeightsAreThoseOnDisk() {
        float[] base = output(MODEL.loadTransformer(backend, weights));
        assertThat(output(asked(null, null))).isEqualTo(base);
        assertThat(asked(null, null).notices(false)).isEmpty();
        assertThat(output(asked(WeightType.UINT8, null))).as("uint8 is never applied").isEqualTo(base);
        assertThat(output(asked(WeightType.UINT4, null))).isNotEqualTo(base);
    }

    /// Fewer bits, more distance: 8 bits change the velocity by under 3 %, 2 bits by more than 20 %.
    @Test
    void theFewerBitsTheFartherFromTheModel() {
        float[] base = output(MODEL.loadTransformer(backend, weights));
        double last = 0;
        for (WeightType type : List.of(WeightType.INT8, WeightType.UINT6, WeightType.UINT4, WeightType.UINT2)) {
            double distance = Golden.relativeL2(output(asked(type, null)), base);
            assertThat(distance).as(type.spelling()).isGreaterThan(last);
            last = distance;
        }
        assertThat(last).isGreaterThan(0.2);
    }

    /// A recovery adapter of zeros changes nothing but which layers are kept in the format.
    @Test
    void onlyTheLayersOfTheRecoveryAdapterGetTheFormat() throws IOException {
        writeRecovery(0);
        FrozenWeights frozen = asked(WeightType.UINT2, file);
        assertThat(frozen.formats().modules()).containsExactly(LAYER);
        float[] one = output(MODEL.loadTransformer(
                new Loading(new LayerFormats(WeightType.UINT2, Set.of(LAYER)), null, Residency.ALL), backend, weights));
        assertThat(output(frozen)).isEqualTo(one).isNotEqualTo(output(asked(WeightType.UINT2, null)));
    }

    /// In sampling and in training another adapter stands beside it and does not take its place.
    @Test
    void theRecoveryAdapterStaysWhateverComesBeside() throws IOException {
        writeRecovery(0.01f);
        FrozenWeights frozen = asked(WeightType.UINT2, file);
        QwenImageTransformer recovered = frozen.load(MODEL, null, notice -> {}, Residency.ALL, backend, weights);
        float[] alone = output(recovered);
        writeRecovery(0);
        assertThat(output(asked(WeightType.UINT2, file))).isNotEqualTo(alone);
        assertThat(output(recovered.with(Adapters.NONE))).isEqualTo(alone);

        Lora lora = new Lora(LoraLayout.of(layers(), 2), 2, backend, weights);
        backend.write(Lora.initialValues(lora.layout(), Philox.stream(1, "adapter").asGenerator(0)), lora.values());
        assertThat(output(recovered.with(lora.trained()))).as("a fresh LoRA adds zero").isEqualTo(alone);
        assertThat(output(recovered.with(lora.trained()).with(lora.frozen(lora.values(), 1)))).isEqualTo(alone);
    }

    /// Layers outside the blocks get format and recovery as well, if the file names them; answers to timesteps that are
    /// made beforehand know of it.
    @Test
    void aRecoveryAdapterMayNameLayersOutsideTheBlocks() throws IOException {
        String embedding = "time_text_embed.timestep_embedder.linear_2";
        List<float[]> outputs = new ArrayList<>();
        for (float up : new float[] {0, 0.01f}) {
            float[] b = new float[128 * RANK];
            Arrays.fill(b, up);
            float[] a = new float[RANK * 128];
            Philox.stream(9, "down").fillNormal(a, 0);
            Files.deleteIfExists(file);
            SafetensorsWriter.write(file, Map.of(), List.of(
                    TensorData.floats(embedding + ".lora_A.weight", DType.F32, List.of((long) RANK, 128L), a),
                    TensorData.floats(embedding + ".lora_B.weight", DType.F32, List.of(128L, (long) RANK), b)));
            FrozenWeights frozen = asked(WeightType.UINT4, file);
            assertThat(frozen.formats().modules()).containsExactly(embedding);
            outputs.add(output(frozen));
        }
        assertThat(outputs.get(0)).isNotEqualTo(output(MODEL.loadTransformer(backend, weights)));
        assertThat(outputs.get(1)).isNotEqualTo(outputs.get(0));
        try (Backend simulated = Simulated.backend(DType.F32); TensorArena arena = simulated.newArena()) {
            FrozenWeights frozen = asked(WeightType.UINT4, file);
            Residency tabulated = new Residency(1, 2, true);
            QwenImageTransformer resident = frozen.load(MODEL, null, notice -> {}, Residency.ALL, simulated, arena);
            float[] expected = output(resident, simulated, arena);
            assertThat(output(frozen.load(MODEL, null, notice -> {}, tabulated, simulated, arena), simulated, arena))
                    .isEqualTo(expected);
            assertThat(Golden.relativeL2(expected, outputs.get(1))).isLessThan(1e-4);
        }
    }

    /// A model in ComfyUI's scaled fp8 form: 8-bit floats are what its files say, asked for or not; another format is
    /// made from them, and a recovery adapter leaves the layers that it does not name to the file.
    @Test
    void codesThatLieOnDiskAreUsedAsTheyAre(@TempDir Path folder) throws IOException {
        ModelFolder scaled = ShortRun.scaledModel(folder);
        float[] plain = output(scaled.loadTransformer(backend, weights));
        int all = layers().size() + 6;
        for (WeightType type : Arrays.asList(null, WeightType.FLOAT8, WeightType.QFLOAT8)) {
            FrozenWeights frozen = asked(type, null, scaled);
            assertThat(output(frozen, scaled)).as("%s", type).isEqualTo(plain);
            assertThat(frozen.formats().modules()).hasSize(all);
            assertThat(frozen.notices(true)).last().asString().contains("the codes of " + all + " layers are used as");
        }
        FrozenWeights fewer = asked(WeightType.UINT4, null, scaled);
        assertThat(output(fewer, scaled)).isNotEqualTo(plain);
        assertThat(fewer.notices(true)).last().asString().contains("84 layers are brought from those to uint4");

        writeRecovery(0);
        FrozenWeights one = asked(WeightType.UINT2, file, scaled);
        assertThat(one.formats().types()).hasSize(all).containsEntry(LAYER, WeightType.UINT2)
                .containsEntry("img_in", WeightType.FLOAT8);
        assertThat(Golden.relativeL2(output(one, scaled), plain)).isBetween(1e-4, 0.1);
    }

    /// On a device that keeps codes nobody is told of float32.
    @Test
    void whatIsToldOfTheFormatIsTrueOfTheDevice() {
        FrozenWeights frozen = asked(WeightType.INT8, null);
        assertThat(frozen.notices(false)).singleElement().asString().contains("the memory is that of float32");
        assertThat(frozen.notices(true)).singleElement().asString().contains("84 layers", "are kept in int8");
    }

    @Test
    void theRecoveryAdapterDecidesWhichRunItIs() throws IOException {
        writeRecovery(0);
        String zero = asked(WeightType.UINT3, file).recoveryHash();
        writeRecovery(0.01f);
        assertThat(asked(WeightType.UINT3, file).recoveryHash()).isNotEqualTo(zero);
        assertThat(asked(WeightType.UINT3, null).recoveryHash()).isEmpty();
    }

    @Test
    void aRecoveryAdapterOfAnotherModelIsRefused() throws IOException {
        SafetensorsWriter.write(file, Map.of(), List.of(
                TensorData.floats("transformer.single_blocks.0.linear1.lora_A.weight", DType.F32, List.of(1L, 1L),
                        new float[1])));
        assertThatThrownBy(() -> asked(WeightType.UINT3, file))
                .isInstanceOf(UserMistake.class).hasMessageContaining("not an adapter for this model");
    }
}
