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
import nocturne.io.SafetensorsFolder;
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

    private WeightCache place(String identity) {
        return new WeightCache(folder, identity, notices::add);
    }

    private QuantizedLayers cached(String identity, LayerFormats formats) {
        return QuantizedLayers.of(model, formats, place(identity), List.of(MODULES));
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
        assertSame(numbers(QuantizedLayers.of(model, FORMATS)), expected());
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

    @Test
    void withoutRoomOnTheDiskThereIsNoCacheAndAPersonIsTold() throws IOException {
        QuantizedLayers layers = QuantizedLayers.of(model, FORMATS, place("model"),
                new QuantizedCache(folder, notices::add), List.of(MODULES), OptionalLong.of(1L << 30));
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
        QuantizedLayers layers = QuantizedLayers.of(model, FORMATS, place("model"),
                new QuantizedCache(folder, notices::add), List.of(MODULES), OptionalLong.of(0));
        assertSame(numbers(layers), expected());
        assertThat(file).hasBinaryContent(written);
        assertThat(notices).isEmpty();
    }
}
