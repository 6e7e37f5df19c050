package nocturne.qwen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import nocturne.adapter.Lora;
import nocturne.adapter.LoraLayout;
import nocturne.cpu.CpuBackend;
import nocturne.golden.Golden;
import nocturne.io.TensorSource;
import nocturne.tensor.Backend;
import nocturne.tensor.Ops;
import nocturne.tensor.Tape;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Outputs, losses and gradients of diffusers' transformer with PEFT adapters, in float32.
///
/// Tolerances are those the reference recommends for float32: outputs 1e-5 with its order of operations in the
/// timestep embedding and 1e-4 otherwise, losses 1e-5, gradients relative L2 1e-3 and 1e-5 in absolute terms.
class TransformerGoldenTest {
    /// Builds of the reference differ in the last bit of `e^x`, and so in some of the embedding's frequencies. Its
    /// sinusoid tells whether this set is from a build that has ours; the one in the repository is
    /// ([TimestepEmbeddingTest]).
    private static final double OUTPUT_BOUND = sinusoidError() < 1e-6 ? 1e-5 : 1e-4;

    private static Backend backend;
    private static TensorArena arena;

    @BeforeAll
    static void start() {
        backend = CpuBackend.withAllProcessors();
        arena = backend.newArena();
    }

    @AfterAll
    static void stop() {
        arena.close();
        backend.close();
    }

    static Stream<TransformerCase> cases() {
        return TransformerCase.all().stream();
    }

    static Stream<Arguments> adaptedCases() {
        return cases().flatMap(c -> TransformerCase.alphas().stream()
                .flatMap(alpha -> Arrays.stream(Tape.Keep.values()).map(keep -> Arguments.of(c, alpha, keep))));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void computesTheBaseModelsOutputs(TransformerCase golden) {
        try (TensorArena.Scope scope = arena.scope()) {
            QwenImageTransformer model = TransformerCase.load(backend, arena, golden.zeroCondT());
            TransformerInput input = golden.input(backend, arena);
            Tape tape = Tape.inference(backend, arena);
            if (golden.data().has("out_full_base")) {
                Tensor all = model.forward(tape, input, block -> Tape.Keep.ALL, input.tokensPerSample());
                assertThat(Golden.maxAbsDiff(backend.toArray(all), golden.data().floats("out_full_base")))
                        .isLessThan(OUTPUT_BOUND);
            }
            Tensor target = model.forward(tape, input, Tape.Keep.ALL);
            assertThat(Golden.maxAbsDiff(backend.toArray(target), golden.data().floats("out_base")))
                    .isLessThan(OUTPUT_BOUND);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void computesTheBaseModelsInputGradients(TransformerCase golden) {
        try (TensorArena.Scope scope = arena.scope()) {
            QwenImageTransformer model = TransformerCase.load(backend, arena, golden.zeroCondT());
            checkInputGradients(golden, model, "base", Tape.Keep.ALL);
        }
    }

    @ParameterizedTest(name = "{0} alpha {1} keeping {2}")
    @MethodSource("adaptedCases")
    void computesOutputsLossAndGradientsWithAdapters(TransformerCase golden, double alpha, Tape.Keep keep) {
        try (TensorArena.Scope scope = arena.scope()) {
            String variant = TransformerCase.variant(alpha);
            Lora lora = TransformerCase.lora(
                    Golden.tensors("golden/transformer_lora.safetensors"), alpha, backend, arena);
            QwenImageTransformer model =
                    TransformerCase.load(backend, arena, golden.zeroCondT()).with(lora.trained());
            checkInputGradients(golden, model, variant, keep);

            TensorSource gradients =
                    Golden.tensors("golden/transformer_%s_grads_%s.safetensors".formatted(golden.name(), variant));
            float[] expected = TransformerCase.values(lora.layout(), gradients);
            checkGradients(lora, golden.json().path("stats").path(variant).path("disconnected"), expected);
        }
    }

    private static void checkInputGradients(
            TransformerCase golden, QwenImageTransformer model, String variant, Tape.Keep keep) {
        TransformerInput input = golden.input(backend, arena);
        input.tokens().requireGrad();
        input.text().requireGrad();
        Tape tape = Tape.recording(backend, arena);
        Tensor out = model.forward(tape, input, keep);
        assertThat(Golden.maxAbsDiff(backend.toArray(out), golden.data().floats("out_" + variant)))
                .isLessThan(OUTPUT_BOUND);

        float[] target = golden.data().floats("target_packed");
        float[] weights = new float[input.batch()];
        Arrays.fill(weights, 1);
        double loss = new Ops(tape)
                .meanSquaredError(out, backend.tensor(arena, target, out.shape().toArray()), weights, 1);
        assertThat(loss).isCloseTo(golden.json().path("loss").path(variant).doubleValue(),
                within(1e-5));
        tape.backward();
        checkOne("hidden_states", input.tokens(), golden.data().floats("grad_hidden_states_" + variant));
        checkOne("encoder_hidden_states", input.text(), golden.data().floats("grad_encoder_hidden_states_" + variant));
    }

    private static void checkOne(String what, Tensor tensor, float[] expected) {
        assertThat(tensor.grad()).as("gradient of " + what).isNotNull();
        float[] ours = backend.toArray(tensor.grad());
        assertThat(Golden.relativeL2(ours, expected)).as("relative L2 of d" + what).isLessThan(1e-3);
        assertThat(Golden.maxAbsDiff(ours, expected)).as("largest error of d" + what).isLessThan(1e-5);
    }

    private static void checkGradients(Lora lora, JsonNode disconnected, float[] expected) {
        List<String> untouched = new ArrayList<>();
        disconnected.forEach(name -> untouched.add(name.textValue()));
        float[] ours = backend.toArray(lora.gradients());
        List<Lora.Span> spans = lora.spansWithGradient();
        for (LoraLayout.Slot slot : lora.layout().slots()) {
            int rank = lora.layout().rank();
            check(slot.module() + ".lora_A.weight", slot.downAt(), rank * slot.in(), untouched, spans, ours, expected);
            check(slot.module() + ".lora_B.weight", slot.upAt(), rank * slot.out(), untouched, spans, ours, expected);
        }
    }

    private static void check(String name, long at, int length, List<String> untouched, List<Lora.Span> spans,
            float[] ours, float[] expected) {
        boolean received = spans.stream().anyMatch(s -> s.from() <= at && at + length <= s.from() + s.length());
        assertThat(received).as(name + " received a gradient").isEqualTo(!untouched.contains(name));
        if (!received) return;
        float[] mine = Arrays.copyOfRange(ours, (int) at, (int) at + length);
        float[] theirs = Arrays.copyOfRange(expected, (int) at, (int) at + length);
        assertThat(Golden.relativeL2(mine, theirs)).as("relative L2 of " + name).isLessThan(1e-3);
        assertThat(Golden.maxAbsDiff(mine, theirs)).as("largest error of " + name).isLessThan(1e-5);
    }

    @Test
    void placesPictureAndTextTokensOnTheRotaryAxes() {
        JsonNode real = Golden.json("golden/transformer.json").path("rope_real_dims");
        List<Integer> axes = new ArrayList<>();
        real.path("axes").forEach(axis -> axes.add(axis.intValue()));
        int textLength = real.path("text_len").intValue();
        TensorSource expected = Golden.tensors("golden/rope_real_dims.safetensors");
        try (TensorArena.Scope scope = arena.scope()) {
            var rotation = new RotaryPositions(axes)
                    .of(Tape.inference(backend, arena), textLength, TransformerCase.grids(real.path("img_shapes")));
            float[] cos = backend.toArray(rotation.cos());
            float[] sin = backend.toArray(rotation.sin());
            int text = expected.floats("txt_cos").length;
            assertThat(Golden.maxAbsDiff(pairs(cos, 0, text), expected.floats("txt_cos"))).isLessThan(1e-5);
            assertThat(Golden.maxAbsDiff(pairs(sin, 0, text), expected.floats("txt_sin"))).isLessThan(1e-5);
            assertThat(Golden.maxAbsDiff(pairs(cos, text, cos.length / 2), expected.floats("img_cos")))
                    .isLessThan(1e-5);
            assertThat(Golden.maxAbsDiff(pairs(sin, text, sin.length / 2), expected.floats("img_sin")))
                    .isLessThan(1e-5);
        }
    }

    /// Every second value: the positive one of each pair.
    private static float[] pairs(float[] doubled, int from, int to) {
        float[] single = new float[to - from];
        for (int i = from; i < to; i++) single[i - from] = doubled[2 * i + 1];
        return single;
    }

    @Test
    void embedsTimesteps() {
        assertThat(sinusoidError()).isLessThan(2e-4);
    }

    private static double sinusoidError() {
        TensorSource golden = Golden.tensors("golden/time_proj.safetensors");
        return Golden.maxAbsDiff(TimestepEmbedding.sinusoid(golden.floats("timestep")), golden.floats("sinusoid"));
    }
}
