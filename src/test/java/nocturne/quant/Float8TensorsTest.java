package nocturne.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import nocturne.io.DType;
import nocturne.io.HalfPrecision;
import nocturne.io.Safetensors;
import nocturne.io.SafetensorsWriter;
import nocturne.io.TensorData;
import nocturne.problem.UserMistake;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Files in ComfyUI's forms, written here by their description.
class Float8TensorsTest {
    private static final int ROWS = 3;
    private static final int COLUMNS = 5;
    private static final float FACTOR = 0.0123f;

    private final Path folder;

    Float8TensorsTest(@TempDir Path folder) {
        this.folder = folder;
    }

    private static byte[] codes() {
        byte[] codes = new byte[ROWS * COLUMNS];
        for (int i = 0; i < codes.length; i++) codes[i] = HalfPrecision.toE4m3((i - 7) * 30f);
        return codes;
    }

    private static TensorData bytes(String name, DType type, List<Long> shape, byte[] bytes) {
        return TensorData.bytes(name, type, shape, MemorySegment.ofArray(bytes));
    }

    private static TensorData marker() {
        return bytes("scaled_fp8", DType.F8_E4M3, List.of(2L), new byte[2]);
    }

    private static TensorData weight(DType type) {
        return bytes("a.weight", type, List.of((long) ROWS, (long) COLUMNS), codes());
    }

    private static TensorData factor(String ending, List<Long> shape, float... values) {
        return TensorData.floats("a." + ending, DType.F32, shape, values);
    }

    private static TensorData mark(String json) {
        byte[] text = json.getBytes(StandardCharsets.UTF_8);
        return bytes("a.comfy_quant", DType.U8, List.of((long) text.length), text);
    }

    private Safetensors file(TensorData... tensors) {
        return file(Map.of(), tensors);
    }

    private Safetensors file(Map<String, String> header, TensorData... tensors) {
        Path path = folder.resolve("model.safetensors");
        SafetensorsWriter.write(path, header, List.of(tensors));
        return Safetensors.open(path);
    }

    private static float[] expected(float... factors) {
        float[] weights = new float[ROWS * COLUMNS];
        for (int i = 0; i < weights.length; i++) {
            float factor = factors[factors.length == 1 ? 0 : i / COLUMNS];
            weights[i] = Rounding.BF16.of(HalfPrecision.fromE4m3(codes()[i]) * factor);
        }
        return weights;
    }

    /// Both ways to the numbers: as codes, and as any other tensor of the file.
    private static void assertMeans(Safetensors file, float... expected) {
        try (Arena memory = Arena.ofConfined(); Float8Tensors tensors = Float8Tensors.of(file)) {
            assertThat(tensors.tensors().keySet()).containsExactly("a.weight");
            assertThat(tensors.floats("a.weight")).isEqualTo(expected);
            float[] some = new float[7];
            tensors.widen("a.weight", 4, 7, MemorySegment.ofArray(some), 0);
            for (int i = 0; i < some.length; i++) assertThat(some[i]).isEqualTo(expected[4 + i]);

            assertThat(tensors.formats().types()).isEqualTo(Map.of("a", WeightType.FLOAT8));
            QuantizedMatrix matrix = tensors.codes("a", memory);
            assertThat(matrix.codes().address()).as("where they lie").isEqualTo(file.bytes("a.weight").address());
            float[] decoded = new float[ROWS * COLUMNS];
            matrix.dequantize(0, ROWS, MemorySegment.ofArray(decoded), 0);
            assertThat(decoded).isEqualTo(expected);
        }
    }

    @Test
    void weightsAreTheCodesTimesTheFactorRoundedToBf16() {
        for (List<Long> shape : List.of(List.<Long>of(), List.of(1L), List.of(1L, 1L))) {
            assertMeans(file(weight(DType.F8_E4M3), factor("scale_weight", shape, FACTOR), marker()),
                    expected(FACTOR));
        }
        assertMeans(file(weight(DType.F8_E4M3), factor("scale_weight", List.of(), FACTOR),
                factor("scale_input", List.of(), 3), marker()), expected(FACTOR));
    }

    @Test
    void laterFilesSayTheSameInOtherWords() {
        String json = "{\"format\": \"float8_e4m3fn\", \"full_precision_matrix_mult\": true}";
        TensorData scale = factor("weight_scale", List.of(), FACTOR);
        assertMeans(file(weight(DType.F8_E4M3), scale, mark(json), factor("input_scale", List.of(), 2)),
                expected(FACTOR));
        assertMeans(file(weight(DType.U8), scale, mark(json)), expected(FACTOR));
        Map<String, String> header = Map.of("_quantization_metadata",
                "{\"format_version\": \"1.0\", \"layers\": {\"a\": {\"format\": \"float8_e4m3fn\"}}}");
        assertMeans(file(header, weight(DType.F8_E4M3), scale), expected(FACTOR));
    }

    @Test
    void aRowMayHaveAFactorOfItsOwn() {
        for (List<Long> shape : List.of(List.of(3L), List.of(3L, 1L))) {
            assertMeans(file(weight(DType.F8_E4M3), factor("weight_scale", shape, 0.5f, FACTOR, 3)),
                    expected(0.5f, FACTOR, 3));
        }
    }

    @Test
    void plainCodesMeanThemselves() {
        assertMeans(file(weight(DType.F8_E4M3)), expected(1));
    }

    /// Of the other type of 8-bit floats only the numbers can be had.
    @Test
    void otherCodesAreNumbersOnly() {
        try (Float8Tensors tensors = Float8Tensors.of(
                file(weight(DType.F8_E5M2), factor("scale_weight", List.of(), FACTOR), marker()))) {
            assertThat(tensors.formats()).isEqualTo(LayerFormats.NONE);
            float[] weights = tensors.floats("a.weight");
            for (int i = 0; i < weights.length; i++) {
                assertThat(weights[i])
                        .isEqualTo(Rounding.BF16.of(HalfPrecision.fromE5m2(codes()[i]) * FACTOR));
            }
        }
    }

    @Test
    void filesWithoutAnyOfItAreWhatTheyAre() {
        TensorData bias = TensorData.floats("a.bias", DType.F32, List.of(2L), new float[] {1, 2});
        try (Float8Tensors tensors = Float8Tensors.of(file(bias))) {
            assertThat(tensors.floats("a.bias")).containsExactly(1, 2);
            assertThat(tensors.formats()).isEqualTo(LayerFormats.NONE);
            assertThat(Float8Tensors.of(tensors)).as("twice is once").isSameAs(tensors);
        }
    }

    @Test
    void whatDoesNotBelongTogetherIsRefused() {
        String format = "{\"format\": \"float8_e4m3fn\"}";
        List<TensorData[]> files = new ArrayList<>();
        for (float bad : new float[] {0, -1, Float.NaN, Float.POSITIVE_INFINITY}) {
            files.add(new TensorData[] {weight(DType.F8_E4M3), factor("scale_weight", List.of(), bad)});
        }
        files.add(new TensorData[] {weight(DType.U8), factor("scale_weight", List.of(), 1)});
        files.add(new TensorData[] {weight(DType.F8_E4M3), factor("scale_weight", List.of(2L), 1, 2)});
        files.add(new TensorData[] {weight(DType.F8_E4M3),
                TensorData.floats("a.scale_weight", DType.BF16, List.of(), new float[] {1})});
        files.add(new TensorData[] {factor("scale_weight", List.of(), 1),
                bytes("a.weight", DType.F8_E4M3, List.of(4L), new byte[4])});
        files.add(new TensorData[] {factor("scale_weight", List.of(), 1)});
        files.add(new TensorData[] {weight(DType.F8_E4M3), mark(format)});
        files.add(new TensorData[] {weight(DType.F8_E4M3), mark("{"), factor("weight_scale", List.of(), 1)});
        for (TensorData[] tensors : files) {
            try (Safetensors file = file(tensors)) {
                assertRefused(file, "tensor a.");
            }
        }
    }

    private static void assertRefused(Safetensors file, String what) {
        assertThatThrownBy(() -> Float8Tensors.of(file)).isInstanceOfSatisfying(UserMistake.class, mistake ->
                assertThat(mistake.problems()).singleElement().satisfies(problem -> {
                    assertThat(problem.where()).endsWith("model.safetensors");
                    assertThat(problem.what()).startsWith(what);
                }));
    }

    @Test
    void otherFormatsAreToldByName() {
        String json = "{\"format\": \"nvfp4\"}";
        try (Safetensors file = file(weight(DType.U8), mark(json))) {
            assertRefused(file, "a is in the format nvfp4");
        }
        Map<String, String> header = Map.of("_quantization_metadata", "{\"layers\": {\"b\": " + json + "}}");
        try (Safetensors file = file(header, weight(DType.F8_E4M3))) {
            assertRefused(file, "b is in the format nvfp4");
        }
    }

    /// Each byte in each of the two spellings of "no number".
    @Test
    void aCodeThatIsNoNumberIsTold() {
        for (int at = 0; at < ROWS * COLUMNS; at++) {
            for (int code : new int[] {0x7f, 0xff}) {
                byte[] codes = codes();
                codes[at] = (byte) code;
                try (Arena memory = Arena.ofConfined(); Float8Tensors tensors = Float8Tensors.of(
                        file(bytes("a.weight", DType.F8_E4M3, List.of((long) ROWS, (long) COLUMNS), codes)))) {
                    assertThatThrownBy(() -> tensors.codes("a", memory))
                            .as("byte %d", at).isInstanceOf(UserMistake.class).hasMessageContaining("no number");
                }
            }
        }
    }
}
