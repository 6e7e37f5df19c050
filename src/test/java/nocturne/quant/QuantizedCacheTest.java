package nocturne.quant;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Stream;
import nocturne.io.DType;
import nocturne.io.SafetensorsFolder;
import nocturne.io.SafetensorsWriter;
import nocturne.io.TensorData;
import nocturne.io.TensorSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A model's weights are quantised once; what lies on the disk afterwards is used if it is sound and made again if not.
class QuantizedCacheTest {
    private final Path folder;
    private final List<String> notices = new ArrayList<>();
    private final AtomicInteger computed = new AtomicInteger();
    private final QuantizedCache cache;
    private final String key;

    QuantizedCacheTest(@TempDir Path folder) {
        this.folder = folder;
        cache = new QuantizedCache(folder, "model", notices::add);
        key = key("model", WeightType.UINT4, "block 0");
    }

    private String key(String model, WeightType type, String... modules) {
        SortedMap<String, WeightType> types = new TreeMap<>();
        for (String module : modules) types.put(module, type);
        return new QuantizedCache(folder, model, notices::add).key(types);
    }

    /// One matrix of each format, from weights that depend on nothing.
    private SequencedMap<String, QuantizedMatrix> matrices(SegmentAllocator memory) {
        computed.incrementAndGet();
        SequencedMap<String, QuantizedMatrix> matrices = new LinkedHashMap<>();
        Random random = new Random(3);
        for (WeightType type : WeightType.values()) {
            if (!type.isApplied()) continue;
            matrices.put("blocks.0." + type.spelling(), QuantizedMatrix.quantize("w", type, Rounding.BF16, 6, 128,
                    (row, values) -> {
                        for (int i = 0; i < values.length; i++) {
                            values[i] = Rounding.BF16.of((float) random.nextGaussian());
                        }
                    }, memory));
        }
        return matrices;
    }

    private Map<String, float[]> read(Function<SegmentAllocator, SequencedMap<String, QuantizedMatrix>> compute) {
        Map<String, float[]> weights = new LinkedHashMap<>();
        try (QuantizedFile file = cache.get(key, compute)) {
            file.matrices().forEach((name, matrix) -> {
                float[] back = new float[matrix.rows() * matrix.columns()];
                matrix.dequantize(0, matrix.rows(), MemorySegment.ofArray(back), 0);
                weights.put(name, back);
            });
        }
        return weights;
    }

    private Path file() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> all = files.toList();
            assertThat(all).hasSize(1);
            return all.getFirst();
        }
    }

    private static void assertSame(Map<String, float[]> ours, Map<String, float[]> expected) {
        assertThat(ours.keySet()).containsExactlyElementsOf(expected.keySet());
        ours.forEach((name, values) -> assertThat(values).as(name).isEqualTo(expected.get(name)));
    }

    @Test
    void theSecondTimeTheWeightsComeFromTheDisk() {
        Map<String, float[]> first = read(this::matrices);
        Map<String, float[]> second = read(memory -> {
            throw new AssertionError("computed again");
        });
        assertSame(second, first);
        assertThat(second).hasSize((int) Stream.of(WeightType.values()).filter(WeightType::isApplied).count());
        assertThat(notices).isEmpty();
    }

    /// The layers of a model that lies on the disk, through the cache and beside it.
    @Test
    void aModelsLayersComeBackTheSameWithAndWithoutTheCache() {
        String name = "transformer_blocks.0.img_mlp.net.0.proj.weight";
        try (TensorSource model = SafetensorsFolder.open(Path.of("models/qwen-image-tiny/transformer"));
                Arena codes = Arena.ofConfined()) {
            QuantizedMatrix matrix = QuantizedMatrix.quantize(model, name, WeightType.UINT4, codes);
            float[] direct = new float[(int) model.entry(name).elements()];
            matrix.dequantize(0, matrix.rows(), MemorySegment.ofArray(direct), 0);
            Map<String, float[]> cached = read(memory -> {
                SequencedMap<String, QuantizedMatrix> one = new LinkedHashMap<>();
                one.put(name, QuantizedMatrix.quantize(model, name, WeightType.UINT4, memory));
                return one;
            });
            assertThat(cached.get(name)).isEqualTo(direct).isNotEqualTo(model.floats(name));
        }
    }

    @Test
    void aKeyTellsModelsFormatsAndPartsApart() {
        assertThat(List.of(key, key("other", WeightType.UINT4, "block 0"), key("model", WeightType.UINT3, "block 0"),
                key("model", WeightType.UINT4, "block 1"),
                key("model", WeightType.UINT4, "block 0", "block 1"))).doesNotHaveDuplicates();
    }

    /// A bit anywhere in the file: header, codes, scales or zero points.
    @Test
    void aChangedBitAnywhereIsToldAndTheWeightsAreMadeAgain() throws IOException {
        Map<String, float[]> sound = read(this::matrices);
        byte[] bytes = Files.readAllBytes(file());
        Random random = new Random(17);
        int told = 0;
        for (int n = 0; n < 120; n++) {
            byte[] changed = bytes.clone();
            int at = n < 60 ? random.nextInt(bytes.length) : bytes.length - 1 - random.nextInt(2000);
            changed[at] ^= (byte) (1 << random.nextInt(8));
            Files.write(file(), changed);
            notices.clear();
            int before = computed.get();
            assertSame(read(this::matrices), sound);
            if (computed.get() > before) {
                told++;
                assertThat(notices).hasSize(1);
                assertThat(notices.getFirst()).contains("are damaged", "made again", file().getFileName().toString());
            }
            assertThat(Files.readAllBytes(file())).as("byte %d", at).isIn(bytes, changed);
        }
        // Spaces that fill up the header, and the order of its keys, mean nothing.
        assertThat(told).isGreaterThan(100);
    }

    @Test
    void aFileThatIsCutAnywhereIsMadeAgain() throws IOException {
        Map<String, float[]> sound = read(this::matrices);
        byte[] bytes = Files.readAllBytes(file());
        for (int length : new int[] {0, 7, 8, 100, bytes.length / 2, bytes.length - 1}) {
            Files.write(file(), Arrays.copyOf(bytes, length));
            assertSame(read(this::matrices), sound);
            assertThat(Files.readAllBytes(file())).isEqualTo(bytes);
        }
        assertThat(notices).hasSize(6);
    }

    /// Files that are sound safetensors and lie about what is in them.
    @Test
    void aFileThatLiesIsMadeAgain() throws IOException {
        Map<String, float[]> sound = read(this::matrices);
        byte[] bytes = Files.readAllBytes(file());
        Path path = file();
        for (String description : List.of("uint4 BF16 1x64", "uint4 BF16 999999999x999999936", "uint4 F16 2x64",
                "uint8 F32 2x64", "uint9 F32 2x64", "uint4 F32 0x64", "uint4 F32 2x63", "int8 F32 2x64", "")) {
            Map<String, String> metadata = new LinkedHashMap<>();
            metadata.put("nocturne.key", key);
            metadata.put("nocturne.crc32c", "0");
            metadata.put("nocturne.matrix.m", description);
            List<Long> groups = List.of(2L, 1L);
            SafetensorsWriter.write(path, metadata, List.of(
                    TensorData.bytes("m.codes", List.of(64L), new byte[64]),
                    TensorData.floats("m.scale", DType.F32, groups, new float[2]),
                    TensorData.bytes("m.zero_point", groups, new byte[2])));
            notices.clear();
            assertSame(read(this::matrices), sound);
            assertThat(notices).as(description).hasSize(1);
            assertThat(Files.readAllBytes(path)).isEqualTo(bytes);
        }
    }

    @Test
    void aFileOfAnotherKeyUnderThisNameIsMadeAgain() throws IOException {
        read(this::matrices);
        Path mine = file();
        String other = key("other", WeightType.UINT4, "block 0");
        Files.move(mine, folder.resolve(other + ".safetensors"));
        cache.get(other, this::matrices).close();
        assertThat(computed.get()).isEqualTo(2);
        assertThat(notices).hasSize(1);
    }

    @Test
    void aQuantisationThatFailsLeavesNothing() throws IOException {
        try {
            read(memory -> {
                throw new IllegalStateException("the weights cannot be read");
            });
        } catch (IllegalStateException expected) {
            assertThat(expected).hasMessage("the weights cannot be read");
        }
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).isEmpty();
        }
    }
}
