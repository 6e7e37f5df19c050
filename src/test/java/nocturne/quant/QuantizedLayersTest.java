package nocturne.quant;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;
import nocturne.io.DType;
import nocturne.io.HalfPrecision;
import nocturne.io.Safetensors;
import nocturne.io.SafetensorsFolder;
import nocturne.io.SafetensorsWriter;
import nocturne.io.TensorData;
import nocturne.io.TensorSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The layers of a block in a smaller format: the same numbers whether they come from the cache or not, and a disk that
/// is nearly full costs time, not the run.
class QuantizedLayersTest {
    private static final String BLOCK = "transformer_blocks.1.";
    private static final List<String> MODULES = List.of(BLOCK + "attn.to_q", BLOCK + "img_mod.1", BLOCK + "attn.to_k");
    private static final LayerFormats FORMATS =
            new LayerFormats(WeightType.UINT4, Set.of(MODULES.get(0), MODULES.get(1)));

    private final Path folder;
    private final List<String> notices = new ArrayList<>();
    private final TensorSource model = SafetensorsFolder.open(Path.of("models/qwen-image-tiny/transformer"));

    QuantizedLayersTest(@TempDir Path folder) {
        this.folder = folder;
    }

    @AfterEach
    void close() {
        model.close();
    }

    private QuantizedCache cache(String identity) {
        return new QuantizedCache(folder, identity, notices::add);
    }

    private QuantizedLayers cached(String identity, LayerFormats formats) {
        return QuantizedLayers.of(model, formats, cache(identity), List.of(MODULES));
    }

    private static Map<String, float[]> numbers(QuantizedLayers layers) {
        Map<String, float[]> numbers = new LinkedHashMap<>();
        try (QuantizedLayers.Part part = layers.part(MODULES)) {
            for (String module : MODULES) {
                QuantizedMatrix matrix = part.matrix(module);
                if (matrix == null) continue;
                float[] back = new float[matrix.rows() * matrix.columns()];
                matrix.dequantize(0, matrix.rows(), MemorySegment.ofArray(back), 0);
                numbers.put(module, back);
            }
        }
        return numbers;
    }

    private Map<String, float[]> expected() {
        Map<String, float[]> numbers = new LinkedHashMap<>();
        try (Arena memory = Arena.ofConfined()) {
            for (String module : MODULES.subList(0, 2)) {
                QuantizedMatrix matrix = QuantizedMatrix.quantize(model, module + ".weight", WeightType.UINT4, memory);
                float[] back = new float[matrix.rows() * matrix.columns()];
                matrix.dequantize(0, matrix.rows(), MemorySegment.ofArray(back), 0);
                numbers.put(module, back);
            }
        }
        return numbers;
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }

    private static void assertSame(Map<String, float[]> ours, Map<String, float[]> theirs) {
        assertThat(ours.keySet()).containsExactlyElementsOf(theirs.keySet());
        ours.forEach((module, numbers) -> assertThat(numbers).as(module).isEqualTo(theirs.get(module)));
    }

    @Test
    void theNumbersAreThoseOfEachMatrixWithAndWithoutTheCache() throws IOException {
        assertSame(numbers(QuantizedLayers.of(model, FORMATS, null, List.of(MODULES))), expected());
        assertThat(files()).isEmpty();
        assertSame(numbers(cached("model", FORMATS)), expected());
        assertThat(files()).hasSize(1);
        byte[] written = Files.readAllBytes(files().getFirst());
        assertSame(numbers(cached("model", FORMATS)), expected());
        assertThat(files()).hasSize(1);
        assertThat(files().getFirst()).hasBinaryContent(written);
        assertThat(notices).isEmpty();
    }

    /// Another model, other layers of it, another format: other files.
    @Test
    void whatDecidesTheNumbersDecidesTheFile() throws IOException {
        numbers(cached("model", FORMATS));
        numbers(cached("other", FORMATS));
        numbers(cached("model", new LayerFormats(WeightType.UINT4, Set.of(MODULES.get(2)))));
        numbers(cached("model", new LayerFormats(WeightType.INT8, FORMATS.modules())));
        assertThat(files()).hasSize(4);
    }

    /// Codes of 8-bit floats are used where they lie if that is the format that is asked for, and are numbers like any
    /// others for another format. What is used as it lies is not written to the cache.
    @Test
    void whatLiesInTheFormatIsLeftAsItIs() throws IOException {
        byte[] codes = new byte[2 * 64];
        for (int i = 0; i < codes.length; i++) codes[i] = HalfPrecision.toE4m3(i - 70);
        Path file = folder.resolve("model.safetensors");
        SafetensorsWriter.write(file, Map.of(), List.of(
                TensorData.bytes("a.weight", DType.F8_E4M3, List.of(2L, 64L), MemorySegment.ofArray(codes)),
                TensorData.floats("a.scale_weight", DType.F32, List.of(), new float[] {0.3f}),
                TensorData.floats("b.weight", DType.BF16, List.of(2L, 64L), new float[2 * 64])));
        Path place = folder.resolve("cache");
        QuantizedCache cache = new QuantizedCache(place, "model", notices::add);
        try (TensorSource source = Safetensors.open(file)) {
            for (WeightType type : List.of(WeightType.FLOAT8, WeightType.QFLOAT8)) {
                List<String> layers = List.of("a", "b");
                LayerFormats formats = new LayerFormats(type, Set.copyOf(layers));
                QuantizedLayers all = QuantizedLayers.of(source, formats, cache, List.of(layers));
                try (QuantizedLayers.Part part = all.part(layers)) {
                    assertThat(part.matrix("a").codes().address()).isEqualTo(source.bytes("a.weight").address());
                    assertThat(part.matrix("b").type()).isEqualTo(type);
                }
                try (QuantizedLayers.Part part = all.part(List.of("a"))) {
                    assertThat(part.matrix("a").type()).isEqualTo(WeightType.FLOAT8);
                }
            }
            try (Stream<Path> files = Files.list(place)) {
                assertThat(files).as("of b alone, in two formats").hasSize(2);
            }
            QuantizedLayers fewer = QuantizedLayers.of(
                    source, new LayerFormats(WeightType.UINT4, Set.of("a")), null, List.of(List.of("a")));
            try (QuantizedLayers.Part part = fewer.part(List.of("a")); Arena memory = Arena.ofConfined();
                    Float8Tensors numbers = Float8Tensors.of(source)) {
                QuantizedMatrix matrix = part.matrix("a");
                assertThat(matrix.type()).isEqualTo(WeightType.UINT4);
                assertThat(matrix.codes().mismatch(
                        QuantizedMatrix.quantize(numbers, "a.weight", WeightType.UINT4, memory).codes())).isEqualTo(-1);
            }
        }
    }

    @Test
    void withoutRoomOnTheDiskThereIsNoCacheAndAPersonIsTold() throws IOException {
        QuantizedLayers layers = QuantizedLayers.of(
                model, FORMATS, cache("model"), List.of(MODULES), OptionalLong.of(1L << 30));
        assertSame(numbers(layers), expected());
        assertThat(files()).isEmpty();
        assertThat(notices).singleElement().asString()
                .contains("not kept for the next start", folder.toString(), "1.00 GiB are free");
    }

    /// What is there already needs no room.
    @Test
    void aFullDiskDoesNotKeepFromReading() throws IOException {
        numbers(cached("model", FORMATS));
        Path file = files().getFirst();
        byte[] written = Files.readAllBytes(file);
        QuantizedLayers layers = QuantizedLayers.of(
                model, FORMATS, cache("model"), List.of(MODULES), OptionalLong.of(0));
        assertSame(numbers(layers), expected());
        assertThat(file).hasBinaryContent(written);
        assertThat(notices).isEmpty();
    }
}
