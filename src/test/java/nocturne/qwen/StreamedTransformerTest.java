package nocturne.qwen;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import nocturne.adapter.Lora;
import nocturne.adapter.LoraLayout;
import nocturne.adapter.LoraTargets;
import nocturne.cuda.Simulated;
import nocturne.golden.Golden;
import nocturne.io.DType;
import nocturne.quant.LayerFormats;
import nocturne.quant.WeightType;
import nocturne.tensor.Backend;
import nocturne.tensor.Ops;
import nocturne.tensor.Philox;
import nocturne.tensor.Tape;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// The golden transformer on a simulated device that does not hold all of it: outputs and gradients are those of one
/// that does, bit for bit. Weights that are not there are NaN on that device.
class StreamedTransformerTest {
    /// What the tiny model comes to where all of it is on the device.
    private static final Map<Map.Entry<WeightType, Tape.Keep>, Result> RESIDENT = new HashMap<>();

    /// @param gradients of the adapters
    private record Result(float[] output, double loss, float[] gradients) {}

    static Stream<Arguments> cases() {
        TransformerCase edit =
                TransformerCase.all().stream().filter(TransformerCase::zeroCondT).findFirst().orElseThrow();
        return Stream.concat(
                Stream.of(Tape.Keep.values()).map(keep -> Arguments.of(TransformerCase.all().getFirst(), keep)),
                Stream.of(Arguments.of(edit, Tape.Keep.INPUTS)));
    }

    @ParameterizedTest(name = "{0}, keeping {1}")
    @MethodSource("cases")
    void theGoldenCasesAreTheSameBits(TransformerCase golden, Tape.Keep keep) {
        Result resident = compute(golden, keep, Loading.PLAIN);
        for (boolean tabulates : new boolean[] {false, true}) {
            Residency residency = new Residency(1, 2, tabulates);
            assertSame(compute(golden, keep, new Loading(LayerFormats.NONE, null, residency)), resident);
        }
    }

    private static Result compute(TransformerCase golden, Tape.Keep keep, Loading loading) {
        try (Backend backend = Simulated.backend(DType.BF16); TensorArena arena = backend.newArena()) {
            Lora lora = TransformerCase.lora(Golden.tensors("golden/transformer_lora.safetensors"),
                    TransformerCase.alphas().getFirst(), backend, arena);
            QwenImageTransformer model = TransformerCase.load(loading, backend, arena, golden.zeroCondT());
            return compute(model, lora, golden.input(backend, arena), golden.data().floats("target_packed"), keep,
                    backend, arena);
        }
    }

    /// Six blocks of the tiny model in three formats, through a ring that holds fewer than are streamed.
    /// Where modulation is tabulated, the adapters beside its layers are computed as ever.
    @ParameterizedTest(name = "{0} blocks stay, {1} slots, tabulated: {2}; {3}, keeping {4}")
    @CsvSource({"0, 2, true, INT8, INPUTS", "1, 2, false, UINT4, ALL", "1, 3, true, FLOAT8, PRODUCTS",
            "3, 2, false, INT8, INPUTS", "6, 2, true, INT8, INPUTS"})
    void theTinyModelIsTheSameBits(int stay, int slots, boolean tabulates, WeightType type, Tape.Keep keep) {
        ModelFolder folder = ModelFolder.open(Path.of("models/qwen-image-tiny"));
        TransformerConfig config = folder.transformerConfig();
        LayerFormats formats = new LayerFormats(type, LoraTargets.of(config.layers(), config.width()).keySet());
        Result resident = RESIDENT.computeIfAbsent(Map.entry(type, keep),
                any -> compute(folder, new Loading(formats, null, Residency.ALL), keep));
        assertSame(compute(folder, new Loading(formats, null, new Residency(stay, slots, tabulates)), keep), resident);
    }

    /// Codes that lie in the files, kept as they are, are the numbers that are brought without.
    @Test
    void codesFromTheFilesAreTheSameBitsAsTheirNumbers(@TempDir Path root) throws IOException {
        Files.createDirectories(root.resolve("transformer"));
        Path tiny = Path.of("models/qwen-image-tiny/transformer");
        Files.copy(tiny.resolve("config.json"), root.resolve("transformer/config.json"));
        ScaledFile.write(root.resolve("transformer/scaled.safetensors"), tiny, "diffusion_model.", "weight_scale");
        ModelFolder folder = new ModelFolder(root);
        Result numbers = compute(folder, Loading.PLAIN, Tape.Keep.ALL);
        LayerFormats stored = folder.storedFormats();
        assertSame(compute(folder, Loading.in(stored), Tape.Keep.ALL), numbers);
        assertSame(compute(folder, new Loading(stored, null, new Residency(1, 2, true)), Tape.Keep.ALL), numbers);
    }

    private static Result compute(ModelFolder folder, Loading loading, Tape.Keep keep) {
        try (Backend backend = Simulated.backend(DType.BF16); TensorArena arena = backend.newArena()) {
            QwenImageTransformer model = folder.loadTransformer(loading, backend, arena);
            TransformerConfig config = model.config();
            LoraLayout layout = LoraLayout.of(LoraTargets.of(config.layers(), config.width()), 4);
            Lora lora = new Lora(layout, 4, backend, arena);
            backend.write(normal("adapter", (int) layout.parameters()), lora.values());
            Grid grid = new Grid(4, 4);
            TransformerInput input = new TransformerInput(
                    backend.tensor(arena, normal("tokens", grid.tokens() * config.tokenWidth()), grid.tokens(),
                            config.tokenWidth()),
                    backend.tensor(arena, normal("text", 5 * config.textWidth()), 5, config.textWidth()),
                    new int[] {5}, new float[] {0.6f}, List.of(grid));
            return compute(model, lora, input, normal("target", grid.tokens() * config.tokenWidth()), keep, backend,
                    arena);
        }
    }

    private static float[] normal(String name, int count) {
        float[] numbers = new float[count];
        Philox.stream(5, name).fillNormal(numbers, 0);
        for (int i = 0; i < count; i++) numbers[i] *= 0.1f;
        return numbers;
    }

    /// Two passes, so that the second begins with what the first has left in the ring.
    private static Result compute(QwenImageTransformer base, Lora lora, TransformerInput input, float[] target,
            Tape.Keep keep, Backend backend, TensorArena arena) {
        QwenImageTransformer model = base.with(lora.trained());
        float[] weights = new float[input.batch()];
        Arrays.fill(weights, 1);
        Tensor out = model.forward(Tape.inference(backend, arena), input, block -> keep);
        float[] output = backend.toArray(out);
        Tape tape = Tape.recording(backend, arena);
        Tensor again = model.forward(tape, input, block -> keep);
        double loss = new Ops(tape).meanSquaredError(
                again, backend.floats(arena, target, again.shape().toArray()), weights, 1);
        tape.backward();
        float[] gradients = new float[(int) lora.gradients().elements()];
        for (Lora.Span span : lora.spansWithGradient()) {
            float[] part = backend.toArray(span.of(lora.gradients()));
            System.arraycopy(part, 0, gradients, (int) span.from(), part.length);
        }
        assertThat(backend.toArray(again)).isEqualTo(output);
        return new Result(output, loss, gradients);
    }

    private static void assertSame(Result ours, Result theirs) {
        assertThat(ours.output).isEqualTo(theirs.output);
        assertThat(ours.loss).isEqualTo(theirs.loss).isFinite();
        assertThat(ours.gradients).isEqualTo(theirs.gradients);
    }
}
