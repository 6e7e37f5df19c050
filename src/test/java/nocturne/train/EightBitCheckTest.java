package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import nocturne.adapter.Lora;
import nocturne.adapter.LoraLayout;
import nocturne.adapter.LoraTargets;
import nocturne.cpu.CpuBackend;
import nocturne.cuda.CudaSettings;
import nocturne.cuda.ProductMode;
import nocturne.cuda.Simulated;
import nocturne.golden.Golden;
import nocturne.io.DType;
import nocturne.io.Safetensors;
import nocturne.io.SafetensorsWriter;
import nocturne.io.TensorData;
import nocturne.io.TensorSource;
import nocturne.quant.LayerFormats;
import nocturne.quant.WeightType;
import nocturne.qwen.Grid;
import nocturne.qwen.Loading;
import nocturne.qwen.QwenImageTransformer;
import nocturne.qwen.Residency;
import nocturne.qwen.TransformerCase;
import nocturne.qwen.TransformerConfig;
import nocturne.tensor.Backend;
import nocturne.tensor.EightBitProducts.Trial;
import nocturne.tensor.Philox;
import nocturne.tensor.Tape;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Which layers of a small model are multiplied in 8 bits, and what the person hears of it.
class EightBitCheckTest {
    private static final TransformerConfig CONFIG = TransformerCase.config();
    private static final int OUTLIER = 5;
    private static final String BEFORE = "transformer_blocks.0.img_mlp.net.0.proj";
    private static final String BEHIND = "transformer_blocks.0.img_mlp.net.2";

    @TempDir
    private Path folder = Path.of("");

    @Test
    void evenActivationsAreMultipliedInEightBitsEverywhere() {
        assertThat(check(Golden.tensors("golden/transformer_weights.safetensors"), WeightType.INT8))
                .singleElement().asString()
                .matches("12 of 12 layers of the picture are multiplied in 8 bits: their results are off by up to"
                        + " 0\\.01\\d forward and 0\\.0[12]\\d backward\\.");
    }

    /// One activation is far above all others of its row, on a channel that the next layer takes nothing of.
    @Test
    void aLayerWithAnOutlierStaysAsItIsAndIsNamed() {
        List<String> notices = check(withOutlier(), WeightType.INT8);
        assertThat(notices).hasSize(2);
        assertThat(notices.getFirst()).startsWith("11 of 12 layers of the picture are multiplied in 8 bits");
        assertThat(notices.getLast()).matches("not in 8 bits, which would be off by more than 0\\.10: "
                 + BEHIND.replace(".", "\\.") + " \\(\\d\\.\\d{3} forward, 0\\.0\\d{2} backward\\)\\.");
    }

    @Test
    void anOutlierLeavesFloatsTheirPrecision() {
        assertThat(check(withOutlier(), WeightType.FLOAT8)).singleElement().asString().startsWith("12 of 12 layers");
    }

    @Test
    void aDeviceWithoutProductsInEightBitsHasNothingToCheck() {
        try (Backend cpu = new CpuBackend(2)) {
            assertThat(check(Golden.tensors("golden/transformer_weights.safetensors"), WeightType.INT8, cpu)).isEmpty();
        }
    }

    @Test
    void whatIsNotableIsSaid() {
        assertThat(EightBitCheck.notices(3, List.of(new Trial("a", 0.01, 0.02, true), new Trial("b", 0.07, 0.03, true),
                new Trial("c", Double.NaN, 0.03, false))))
                .containsExactly("2 of 3 layers of the picture are multiplied in 8 bits: their results are off by up to"
                                + " 0.070 forward and 0.030 backward.",
                        "in 8 bits, off by more than 0.06: b (0.070 forward, 0.030 backward).",
                        "not in 8 bits, which would be off by more than 0.10: c (NaN forward, 0.030 backward).");
        List<Trial> many = IntStream.range(0, 20).mapToObj(i -> new Trial("layer" + i, 0.2, 0.2, false)).toList();
        assertThat(EightBitCheck.notices(20, many)).singleElement().asString()
                .contains("layer7 (", " and 12 more.").doesNotContain("layer8");
        assertThat(EightBitCheck.notices(20, List.of())).singleElement().asString().startsWith("none of the 20 layers");
    }

    /// Else `bench` would measure something else than it was asked for.
    @Test
    void randomWeightsAreMultipliedInEightBitsToo() {
        try (Backend device = Simulated.backend(new CudaSettings(DType.BF16, ProductMode.EIGHT_BIT));
                TensorArena weights = device.newArena(); TensorArena passes = device.newArena()) {
            LayerFormats formats =
                    new LayerFormats(WeightType.INT8, LoraTargets.of(CONFIG.layers(), CONFIG.width()).keySet());
            QwenImageTransformer model = QwenImageTransformer.random(CONFIG, formats, Residency.ALL, 1, device, weights,
                    passes);
            assertThat(check(model, device, weights)).singleElement().asString().startsWith("12 of 12 layers");
        }
    }

    private TensorSource withOutlier() {
        TensorSource source = Golden.tensors("golden/transformer_weights.safetensors");
        List<TensorData> tensors = new ArrayList<>();
        source.tensors().forEach((name, entry) -> {
            float[] values = source.floats(name);
            if (name.equals(BEFORE + ".bias")) values[OUTLIER] = 500;
            if (name.equals(BEHIND + ".weight")) {
                int columns = values.length / CONFIG.width();
                for (int row = 0; row < CONFIG.width(); row++) values[row * columns + OUTLIER] = 0;
            }
            tensors.add(TensorData.floats(name, DType.F32, entry.shape(), values));
        });
        Path file = folder.resolve("outlier.safetensors");
        SafetensorsWriter.write(file, Map.of(), tensors);
        return Safetensors.open(file);
    }

    private static List<String> check(TensorSource source, WeightType type) {
        try (Backend device = Simulated.backend(new CudaSettings(DType.BF16, ProductMode.EIGHT_BIT))) {
            return check(source, type, device);
        }
    }

    private static List<String> check(TensorSource source, WeightType type, Backend backend) {
        try (TensorArena weights = backend.newArena()) {
            LayerFormats formats = new LayerFormats(type, LoraTargets.of(CONFIG.layers(), CONFIG.width()).keySet());
            Loading loading = new Loading(formats, null, Residency.ALL);
            return check(QwenImageTransformer.load(CONFIG, source, loading, backend, weights), backend, weights);
        }
    }

    private static List<String> check(QwenImageTransformer model, Backend backend, TensorArena weights) {
        try (TensorArena passes = backend.newArena()) {
            LoraLayout layout = LoraLayout.of(LoraTargets.of(CONFIG.layers(), CONFIG.width()), 2);
            Lora lora = new Lora(layout, 2, backend, weights);
            Learner learner = new Learner(model, lora, block -> Tape.Keep.ALL, backend, passes);
            return EightBitCheck.of(model, learner, List.of(batch(1), batch(2)), backend);
        }
    }

    private static MicroBatch batch(int number) {
        Grid grid = new Grid(4, 6);
        int size = grid.tokens() * CONFIG.tokenWidth();
        int textRows = 5;
        return new MicroBatch(numbers("latents" + number, size), numbers("noise" + number, size), new float[0],
                numbers("text" + number, textRows * CONFIG.textWidth()), new int[] {textRows},
                new float[] {0.3f * number}, new float[] {1}, List.of(grid));
    }

    private static float[] numbers(String name, int count) {
        float[] numbers = new float[count];
        Philox.stream(11, name).fillNormal(numbers, 0);
        return numbers;
    }
}
