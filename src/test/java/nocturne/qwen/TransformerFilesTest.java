package nocturne.qwen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Stream;
import nocturne.cpu.CpuBackend;
import nocturne.golden.Golden;
import nocturne.io.DType;
import nocturne.io.HalfPrecision;
import nocturne.io.SafetensorsFolder;
import nocturne.io.SafetensorsWriter;
import nocturne.io.TensorData;
import nocturne.io.TensorSource;
import nocturne.problem.UserMistake;
import nocturne.quant.LayerFormats;
import nocturne.tensor.Backend;
import nocturne.tensor.Philox;
import nocturne.tensor.Tape;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A transformer is the same model however it lies on disk: in shards or in one file, under its own names or wrapped
/// for ComfyUI, in any float type. The model that ships with us, in bf16 shards, is written in all those ways.
class TransformerFilesTest {
    private static final Path RELEASED = Path.of("models/qwen-image-tiny");
    private static final String CONFIG = "transformer/config.json";

    @TempDir
    private Path root;

    private record Stored(List<Long> shape, float[] values) {}

    /// F32 and BF16 hold the bf16 weights exactly; F16 rounds those below its smallest normal number, which moves the
    /// output by 3e-7 (relative L2, measured).
    @ParameterizedTest
    @CsvSource({
        "F32, '', 0", "F32, diffusion_model., 0", "BF16, model.diffusion_model., 0", "F16, diffusion_model., 1e-5"})
    void readsOneFileOfAnyNameAndWrapping(DType dtype, String prefix, double tolerance) throws IOException {
        copyConfig();
        List<TensorData> tensors = new ArrayList<>();
        released().forEach((name, tensor) ->
                tensors.add(TensorData.floats(prefix + name, dtype, tensor.shape, tensor.values)));
        SafetensorsWriter.write(root.resolve("transformer/whatever they called it.safetensors"), Map.of(), tensors);
        assertThat(Golden.relativeL2(output(root), output(RELEASED))).isLessThanOrEqualTo(tolerance);
    }

    /// Exactly the model of the rounded weights. Against the model as released the output is off by 5 %
    /// (relative L2, measured).
    @Test
    void readsEightBitFloats() throws IOException {
        copyConfig();
        SequencedMap<String, Stored> weights = released();
        writeE4m3(root.resolve("transformer/fp8.safetensors"), "model.diffusion_model.", weights);
        Path widened = Files.createDirectories(root.resolve("widened"));
        Files.createDirectories(widened.resolve("transformer"));
        Files.copy(RELEASED.resolve(CONFIG), widened.resolve(CONFIG));
        List<TensorData> rounded = new ArrayList<>();
        weights.forEach((name, tensor) -> {
            float[] values = new float[tensor.values.length];
            for (int i = 0; i < values.length; i++) values[i] = HalfPrecision.fromE4m3(toE4m3(tensor.values[i]));
            rounded.add(TensorData.floats(name, DType.F32, tensor.shape, values));
        });
        SafetensorsWriter.write(widened.resolve("transformer/model.safetensors"), Map.of(), rounded);
        float[] output = output(root);
        assertThat(output).isEqualTo(output(widened));
        assertThat(Golden.relativeL2(output, output(RELEASED))).isBetween(0.01, 0.2);
    }

    /// ComfyUI's files: every matrix as codes with a factor, everything else as it was, wrapped. Whether its codes are
    /// kept or brought to the device as numbers, the model is that of those numbers in bf16.
    @ParameterizedTest
    @CsvSource({"scale_weight", "weight_scale"})
    void readsEightBitFloatsWithFactors(String ending) throws IOException {
        copyConfig();
        SequencedMap<String, Stored> weights = released();
        ScaledFile.write(root.resolve("transformer/scaled.safetensors"), RELEASED.resolve("transformer"),
                "model.diffusion_model.", ending);
        Path rounded = Files.createDirectories(root.resolve("rounded/transformer"));
        Files.copy(RELEASED.resolve(CONFIG), rounded.resolve("config.json"));
        List<TensorData> numbers = new ArrayList<>();
        weights.forEach((name, tensor) -> numbers.add(TensorData.floats(
                name, DType.BF16, tensor.shape, ScaledFile.numbers(tensor.shape, tensor.values))));
        SafetensorsWriter.write(rounded.resolve("model.safetensors"), Map.of(), numbers);

        float[] expected = output(root.resolve("rounded"));
        assertThat(output(root)).isEqualTo(expected);
        LayerFormats stored = new ModelFolder(root).storedFormats();
        assertThat(stored.modules()).hasSize(6 * 14 + 6).contains("img_in", "transformer_blocks.5.attn.to_q");
        assertThat(output(root, Loading.in(stored))).isEqualTo(expected);
        assertThat(Golden.relativeL2(expected, output(RELEASED))).isBetween(0.001, 0.1);
    }

    /// The tiny model with one head of 128 instead of four of 32, sizes as the released models have them: the answer
    /// without a config is the answer with the config that says the same.
    @Test
    void infersTheSizesOfAFileWithoutConfig() throws IOException {
        List<TensorData> tensors = new ArrayList<>();
        released().forEach((name, tensor) -> tensors.add(TensorData.floats(
                "model.diffusion_model." + name, DType.BF16, asOneHead(name, tensor).shape,
                asOneHead(name, tensor).values)));
        Path file = Files.createDirectories(root.resolve("transformer")).resolve("comfy.safetensors");
        SafetensorsWriter.write(file, Map.of(), tensors);
        TransformerConfig inferred = new ModelFolder(root).transformerConfig();
        assertThat(inferred).isEqualTo(
                new TransformerConfig(6, 1, 128, 64, 64, List.of(16, 56, 56), false));
        float[] withoutConfig = output(root);

        ObjectNode config = (ObjectNode) new ObjectMapper().readTree(Files.readString(RELEASED.resolve(CONFIG)));
        config.put("attention_head_dim", 128).put("num_attention_heads", 1);
        config.putArray("axes_dims_rope").add(16).add(56).add(56);
        Files.writeString(root.resolve(CONFIG), config.toString());
        assertThat(withoutConfig).isEqualTo(output(root));
    }

    /// ComfyUI marks the files of Qwen-Image-Edit-2511 by an entry without numbers, with or without the prefix.
    @ParameterizedTest
    @CsvSource({"model.diffusion_model.", "''"})
    void knowsTheMarkOf2511(String prefix) throws IOException {
        List<TensorData> tensors = new ArrayList<>();
        released().forEach((name, tensor) -> tensors.add(TensorData.floats("model.diffusion_model." + name, DType.BF16,
                asOneHead(name, tensor).shape, asOneHead(name, tensor).values)));
        tensors.add(TensorData.floats(prefix + "__index_timestep_zero__", DType.F32, List.of(0L), new float[0]));
        Path file = Files.createDirectories(root.resolve("transformer")).resolve("comfy.safetensors");
        SafetensorsWriter.write(file, Map.of(), tensors);
        assertThat(new ModelFolder(root).transformerConfig().zeroCondT()).isTrue();
        assertThat(output(root)).hasSize(16 * 64);
    }

    @Test
    void asksForTheConfigWhereTheTensorsDoNotTellEverything() throws IOException {
        write(released());
        assertThatThrownBy(() -> new ModelFolder(root).transformerConfig()).isInstanceOf(UserMistake.class)
                .hasMessageContaining("config.json").hasMessageContaining("heads of 32");
    }

    @Test
    void refusesAnotherModelWithoutConfig() throws IOException {
        write(new LinkedHashMap<>(Map.of("double_blocks.0.img_attn.qkv.weight",
                new Stored(List.of(2L, 2L), new float[4]))));
        assertThatThrownBy(() -> new ModelFolder(root).transformerConfig()).isInstanceOf(UserMistake.class)
                .hasMessageContaining("not recognised as a Qwen-Image transformer");
    }

    @Test
    void refusesTensorsThatItWouldLeaveOut() throws IOException {
        copyConfig();
        SequencedMap<String, Stored> weights = released();
        String foreign = "time_text_embed.addition_t_embedding.weight";
        weights.put(foreign, new Stored(List.of(2L, 2L), new float[4]));
        weights.remove("proj_out.bias");
        write(weights);
        assertThatThrownBy(() -> output(root)).isInstanceOfSatisfying(UserMistake.class, mistake ->
                assertThat(mistake.problems()).map(problem -> problem.what()).containsExactlyInAnyOrder(
                        "has no tensor proj_out.bias",
                        "holds the tensor " + foreign + ", which this model does not have"));
    }

    @Test
    void refusesFactorsBesideWeightsThatNeedNone() throws IOException {
        copyConfig();
        SequencedMap<String, Stored> weights = released();
        weights.put("img_in.scale_weight", new Stored(List.of(), new float[] {0.5f}));
        write(weights);
        assertThatThrownBy(() -> output(root)).isInstanceOfSatisfying(UserMistake.class, mistake ->
                assertThat(mistake.problems()).singleElement().satisfies(problem -> assertThat(problem.what())
                        .startsWith("tensor img_in.weight has a factor beside it but is BF16")));
    }

    @Test
    void refusesWeightsOfWholeNumbers() throws IOException {
        copyConfig();
        List<TensorData> tensors = new ArrayList<>();
        released().forEach((name, tensor) -> tensors.add(name.equals("img_in.bias")
                ? TensorData.bytes(name, tensor.shape, new byte[tensor.values.length])
                : TensorData.floats(name, DType.BF16, tensor.shape, tensor.values)));
        SafetensorsWriter.write(root.resolve("transformer/model.safetensors"), Map.of(), tensors);
        assertThatThrownBy(() -> output(root)).isInstanceOfSatisfying(UserMistake.class, mistake ->
                assertThat(mistake.problems().getFirst().what()).contains("img_in.bias is stored as U8"));
    }

    @Test
    void namesTheShardThatIsMissing() throws IOException {
        Path folder = Files.createDirectories(root.resolve("transformer"));
        String missing = "diffusion_pytorch_model-00003-of-00004.safetensors";
        try (Stream<Path> files = Files.list(RELEASED.resolve("transformer"))) {
            for (Path file : files.filter(path -> !path.endsWith(missing)).toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
        assertThatThrownBy(() -> output(root)).isInstanceOfSatisfying(UserMistake.class, mistake -> {
            assertThat(mistake.problems()).hasSize(1);
            assertThat(mistake.problems().getFirst().code()).isEqualTo("SHARDS_INVALID");
            assertThat(mistake.problems().getFirst().what()).contains(missing);
        });
    }

    /// The model's answer to one noisy picture of 64 x 64 pixels, 5 words and a control picture.
    private static float[] output(Path model) {
        return output(model, Loading.PLAIN);
    }

    private static float[] output(Path model, Loading loading) {
        try (Backend backend = CpuBackend.withAllProcessors(); TensorArena weights = backend.newArena();
                TensorArena passes = backend.newArena()) {
            QwenImageTransformer transformer = new ModelFolder(model).loadTransformer(loading, backend, weights);
            float[] tokens = new float[(16 + 8) * 64];
            Philox.stream(1, "tokens").fillNormal(tokens, 0);
            float[] text = new float[5 * 64];
            Philox.stream(1, "text").fillNormal(text, 0);
            TransformerInput input = new TransformerInput(backend.tensor(passes, tokens, 24, 64),
                    backend.tensor(passes, text, 5, 64), new int[] {5}, new float[] {0.6f},
                    List.of(new Grid(4, 4), new Grid(2, 4)));
            return backend.toArray(
                    transformer.forward(Tape.inference(backend, passes), input, Tape.Keep.INPUTS));
        }
    }

    private static SequencedMap<String, Stored> released() {
        SequencedMap<String, Stored> tensors = new LinkedHashMap<>();
        try (TensorSource source = SafetensorsFolder.open(RELEASED.resolve("transformer"))) {
            source.tensors().forEach((name, entry) ->
                    tensors.put(name, new Stored(entry.shape(), source.floats(name))));
        }
        return tensors;
    }

    private void copyConfig() throws IOException {
        Files.createDirectories(root.resolve("transformer"));
        Files.copy(RELEASED.resolve(CONFIG), root.resolve(CONFIG));
    }

    private void write(SequencedMap<String, Stored> weights) throws IOException {
        Files.createDirectories(root.resolve("transformer"));
        List<TensorData> tensors = new ArrayList<>();
        weights.forEach((name, tensor) ->
                tensors.add(TensorData.floats(name, DType.BF16, tensor.shape, tensor.values)));
        SafetensorsWriter.write(root.resolve("transformer/model.safetensors"), Map.of(), tensors);
    }

    /// The normalisation of four heads of 32, side by side as that of one head of 128.
    private static Stored asOneHead(String name, Stored tensor) {
        if (!name.contains(".attn.norm_")) return tensor;
        float[] wide = new float[128];
        for (int i = 0; i < wide.length; i++) wide[i] = tensor.values[i % tensor.values.length];
        return new Stored(List.of(128L), wide);
    }

    /// By hand: our own writer has no use for this type.
    private static void writeE4m3(Path file, String prefix, SequencedMap<String, Stored> weights) throws IOException {
        ObjectNode header = new ObjectMapper().createObjectNode();
        long at = 0;
        for (Map.Entry<String, Stored> tensor : weights.entrySet()) {
            ObjectNode entry = header.putObject(prefix + tensor.getKey()).put("dtype", "F8_E4M3");
            tensor.getValue().shape.forEach(entry.putArray("shape")::add);
            entry.putArray("data_offsets").add(at).add(at += tensor.getValue().values.length);
        }
        byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
        try (OutputStream out = Files.newOutputStream(file)) {
            out.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(json.length).array());
            out.write(json);
            for (Stored tensor : weights.values()) {
                byte[] bytes = new byte[tensor.values.length];
                for (int i = 0; i < bytes.length; i++) bytes[i] = toE4m3(tensor.values[i]);
                out.write(bytes);
            }
        }
    }

    private static final float[] MAGNITUDES = magnitudes();

    private static float[] magnitudes() {
        float[] values = new float[127];
        for (int bits = 0; bits < values.length; bits++) values[bits] = HalfPrecision.fromE4m3((byte) bits);
        return values;
    }

    /// The nearest of the 127 magnitudes, which rise with their bits.
    private static byte toE4m3(float value) {
        float magnitude = Math.abs(value);
        int found = Arrays.binarySearch(MAGNITUDES, magnitude);
        int bits = found >= 0 ? found : Math.min(-found - 1, MAGNITUDES.length - 1);
        if (bits > 0 && magnitude - MAGNITUDES[bits - 1] < MAGNITUDES[bits] - magnitude) bits--;
        return (byte) (value < 0 ? bits | 0x80 : bits);
    }
}
