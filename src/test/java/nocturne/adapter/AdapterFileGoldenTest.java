package nocturne.adapter;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import nocturne.adapter.AdapterModule.LowRank;
import nocturne.golden.Golden;
import nocturne.io.DType;
import nocturne.io.SafetensorsWriter;
import nocturne.io.TensorData;
import nocturne.io.TensorEntry;
import nocturne.io.TensorSource;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/// The adapter files of the reference trainers and libraries, in every dialect, and the weight changes that the
/// reference computes from them. Which files there are, and for which modules a change is stored, the files say.
class AdapterFileGoldenTest {
    private static final String FOLDER = "golden/lora_files/";
    /// Of the largest value, or of 1: both sides multiply fp32 matrices with inner sizes below a hundred.
    private static final double TOLERANCE = 1e-5;

    @TempDir
    Path folder;

    @TestFactory
    Stream<DynamicTest> everyDialectGivesTheReferenceChangeOfTheWeights() {
        return files().map(name -> DynamicTest.dynamicTest(name, () -> {
            AdapterWeights adapter = read(name);
            assertThat(adapter.modules().keySet()).as("modules").containsExactlyElementsOf(targets().keySet());
            compareWithReference(name, adapter);
        }));
    }

    @TestFactory
    Stream<DynamicTest> everyLoraWrittenInOurFormGivesTheReferenceChangeOfTheWeights() {
        return loraFiles().flatMap(name -> Stream.of(DType.F32, DType.BF16, DType.F16)
                .map(dtype -> DynamicTest.dynamicTest(name + " as " + dtype, () -> {
                    AdapterWeights adapter = read(name);
                    Path file = folder.resolve(name + dtype + ".safetensors");
                    AdapterFile.write(file, lowRank(adapter), dtype, AdapterMetadataTest.sample(), false);
                    AdapterWeights again = AdapterFile.read(file, targets());
                    if (dtype == DType.F32) {
                        compareWithReference(name, again);
                        return;
                    }
                    // Each factor is off by half a unit in the last place: 2^-9 for bf16, 2^-12 for fp16.
                    double bound = 4 * (dtype == DType.BF16 ? 0x1p-9 : 0x1p-12);
                    adapter.modules().forEach((module, original) -> assertThat(
                            Golden.relativeL2(again.modules().get(module).delta(), original.delta()))
                            .as(module).isLessThan(bound));
                })));
    }

    /// The same tensors under every pair of endings and every prefix that ComfyUI accepts read as the same adapter.
    @TestFactory
    Stream<DynamicTest> everyAcceptedSpellingOfTheSameTensorsReadsTheSame() {
        List<String[]> endings = List.of(
                new String[] {".lora_down.weight", ".lora_up.weight"},
                new String[] {"_lora.down.weight", "_lora.up.weight"},
                new String[] {".lora_A.weight", ".lora_B.weight"},
                new String[] {".lora.down.weight", ".lora.up.weight"},
                new String[] {".lora_A", ".lora_B"},
                new String[] {".lora_linear_layer.down.weight", ".lora_linear_layer.up.weight"},
                new String[] {".lora_A.default.weight", ".lora_B.default.weight"});
        List<String> prefixes = List.of("", "diffusion_model.", "transformer.", "lora_unet_", "lycoris_");
        AdapterWeights adapter = read(loraFiles().findFirst().orElseThrow());
        return endings.stream().flatMap(pair -> prefixes.stream().map(prefix ->
                DynamicTest.dynamicTest(prefix + "M" + pair[0], () -> {
                    List<TensorData> tensors = new ArrayList<>();
                    for (LowRank lora : lowRank(adapter)) {
                        boolean flat = prefix.endsWith("_");
                        String key = prefix + (flat ? lora.module().replace('.', '_') : lora.module());
                        tensors.add(TensorData.floats(key + pair[1], DType.F32,
                                List.of((long) lora.out(), (long) lora.rank()), lora.up()));
                        tensors.add(TensorData.floats(key + pair[0], DType.F32,
                                List.of((long) lora.rank(), (long) lora.in()), lora.down()));
                        tensors.add(TensorData.floats(key + ".alpha", DType.F32, List.of(),
                                new float[] {3 * lora.rank()}));
                    }
                    Path file = folder.resolve("spelled.safetensors");
                    SafetensorsWriter.write(file, Map.of(), tensors);
                    AdapterWeights again = AdapterFile.read(file, targets());
                    assertThat(again.modules().keySet()).containsExactlyElementsOf(adapter.modules().keySet());
                    for (LowRank lora : lowRank(again)) {
                        LowRank original = (LowRank) adapter.modules().get(lora.module());
                        assertThat(lora.scale()).isEqualTo(3);
                        assertThat(lora.down()).isEqualTo(original.down());
                        assertThat(lora.up()).isEqualTo(original.up());
                    }
                })));
    }

    @TestFactory
    Stream<DynamicTest> theHashOfTheTensorsIsTheOneTheTrainerStored() {
        JsonNode index = Golden.json(FOLDER + "index.json").path("files");
        return loraFiles().filter(name -> index.path(name).path("metadata").has("sshs_model_hash"))
                .map(name -> DynamicTest.dynamicTest(name, () -> {
                    TensorSource tensors = Golden.tensors(FOLDER + index.path(name).path("file").textValue());
                    List<TensorData> inFile = tensors.tensors().values().stream()
                            .sorted(Comparator.comparingLong(TensorEntry::offset))
                            .map(entry -> TensorData.floats(
                                    entry.name(), entry.dtype(), entry.shape(), tensors.floats(entry.name())))
                            .toList();
                    assertThat(SafetensorsWriter.dataHash(inFile))
                            .isEqualTo(tensors.metadata().get("sshs_model_hash"));
                }));
    }

    @TestFactory
    Stream<DynamicTest> sidesAreSplitAsTheTrainerSplitsThem() {
        List<DynamicTest> tests = new ArrayList<>();
        for (JsonNode row : Golden.json(FOLDER + "index.json").path("lokr_factorization")) {
            int dim = row.path("dim").intValue();
            int factor = row.path("factor").intValue();
            JsonNode split = row.path("split");
            KroneckerSplit expected = new KroneckerSplit(split.path(0).intValue(), split.path(1).intValue());
            tests.add(DynamicTest.dynamicTest(dim + " by " + factor,
                    () -> assertThat(KroneckerSplit.of(dim, factor)).isEqualTo(expected)));
        }
        assertThat(tests).isNotEmpty();
        return tests.stream();
    }

    @Test
    void theTargetsAreTheReferenceTargetsWithTheShapesOfTheWeights() {
        List<String> linears = new ArrayList<>();
        for (JsonNode name : Golden.json("golden/transformer.json").path("lora").path("targets")) {
            linears.add(name.textValue());
        }
        int layers = Golden.json("golden/transformer.json").path("config").path("num_layers").intValue();
        assertThat(LoraTargets.ofBlock(8).keySet()).containsExactlyElementsOf(linears);
        assertThat(targets()).hasSize(layers * linears.size());
        TensorSource weights = Golden.tensors("golden/transformer_weights.safetensors");
        targets().forEach((module, shape) -> assertThat(weights.entry(module + ".weight").shape()).as(module)
                .containsExactly((long) shape.out(), (long) shape.in()));
    }

    private static Map<String, LinearShape> targets() {
        JsonNode config = Golden.json("golden/transformer.json").path("config");
        int width = config.path("num_attention_heads").intValue() * config.path("attention_head_dim").intValue();
        return LoraTargets.of(config.path("num_layers").intValue(), width);
    }

    private static Stream<String> files() {
        return Golden.names(Golden.json(FOLDER + "index.json").path("files")).stream();
    }

    private static Stream<String> loraFiles() {
        return files().filter(name -> read(name).modules().values().stream().allMatch(LowRank.class::isInstance));
    }

    private static AdapterWeights read(String name) {
        JsonNode entry = Golden.json(FOLDER + "index.json").path("files").path(name);
        return AdapterFile.read(Golden.path(FOLDER + entry.path("file").textValue()), targets());
    }

    private static List<LowRank> lowRank(AdapterWeights adapter) {
        return adapter.modules().values().stream().map(LowRank.class::cast).toList();
    }

    private static void compareWithReference(String name, AdapterWeights adapter) {
        TensorSource expected = Golden.tensors(FOLDER + "expected.safetensors");
        String prefix = name + "|delta|";
        List<String> stored = expected.tensors().keySet().stream().filter(key -> key.startsWith(prefix)).toList();
        assertThat(stored).as("reference changes of " + name).isNotEmpty();
        for (String key : stored) {
            AdapterModule module = adapter.modules().get(key.substring(prefix.length()));
            assertThat(module).as(key).isNotNull();
            float[] reference = expected.floats(key);
            double largest = Golden.maxAbsDiff(new float[reference.length], reference);
            assertThat(Golden.maxAbsDiff(module.delta(), reference)).as(key)
                    .isLessThan(TOLERANCE * Math.max(1, largest));
        }
    }
}
