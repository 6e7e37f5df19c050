package nocturne.qwen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import nocturne.adapter.Lora;
import nocturne.cuda.CudaSettings;
import nocturne.cuda.ProductMode;
import nocturne.cuda.Simulated;
import nocturne.golden.Golden;
import nocturne.io.DType;
import nocturne.quant.LayerFormats;
import nocturne.quant.WeightType;
import nocturne.tensor.Backend;
import nocturne.tensor.EightBitProducts.Trial;
import nocturne.tensor.Ops;
import nocturne.tensor.Tape;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Outputs, losses and gradients of diffusers' transformer with PEFT adapters, where the layers of the picture are kept
/// and multiplied in 8 bits.
class EightBitTransformerGoldenTest {
    /// Measured with decoded weights and in 8 bits: 0.008 and 0.011 of the output, 0.014 and 0.018 of the gradients for
    /// int8; 0.025 and 0.030, 0.042 and 0.054 for float8. The rest of the distance is the format's and that of bf16.
    ///
    /// @param layer    largest relative L2 error that multiplying in 8 bits makes in one layer
    /// @param output   of the model's output against the reference
    /// @param loss     likewise, of the loss
    /// @param gradient likewise, of all the adapters' gradients
    /// @param change   of the output against the same weights decoded
    private record Bounds(double layer, double output, double loss, double gradient, double change) {
        static Bounds of(WeightType type) {
            return type == WeightType.INT8
                    ? new Bounds(0.015, 0.014, 0.002, 0.023, 0.012) : new Bounds(0.03, 0.04, 0.006, 0.07, 0.025);
        }
    }

    /// What one forward and backward pass leaves.
    private record Pass(float[] output, double loss, float[] gradients) {}

    static Stream<Arguments> cases() {
        return TransformerCase.all().stream().flatMap(c -> Stream.of(WeightType.INT8, WeightType.FLOAT8)
                .map(type -> Arguments.of(c, type)));
    }

    @ParameterizedTest(name = "{0} in {1}")
    @MethodSource("cases")
    void staysCloseToTheReference(TransformerCase golden, WeightType type) {
        CudaSettings settings = new CudaSettings(DType.BF16, ProductMode.EIGHT_BIT);
        try (Backend backend = Simulated.backend(settings); TensorArena arena = backend.newArena()) {
            double alpha = TransformerCase.alphas().getFirst();
            Lora lora = TransformerCase.lora(
                    Golden.tensors("golden/transformer_lora.safetensors"), alpha, backend, arena);
            LayerFormats formats = new LayerFormats(
                    type, TransformerCase.load(backend, arena, golden.zeroCondT()).pictureWeights().keySet());
            QwenImageTransformer model = QwenImageTransformer.load(TransformerCase.config()
                            .withZeroCondT(golden.zeroCondT()),
                    Golden.tensors("golden/transformer_weights.safetensors"), Loading.in(formats), backend, arena)
                    .with(lora.trained());
            Pass[] decoded = new Pass[1];
            List<Trial> trials = backend.eightBitProducts().orElseThrow().choose(model.pictureWeights(), 0.1,
                    () -> decoded[0] = pass(golden, model, lora, backend, arena));
            Pass codes = pass(golden, model, lora, backend, arena);

            String variant = TransformerCase.variant(alpha);
            float[] output = golden.data().floats("out_" + variant);
            float[] gradients = TransformerCase.values(lora.layout(),
                    Golden.tensors("golden/transformer_%s_grads_%s.safetensors".formatted(golden.name(), variant)));
            double loss = golden.json().path("loss").path(variant).doubleValue();
            Bounds bounds = Bounds.of(type);
            assertThat(trials).hasSize(6 * TransformerCase.config().layers())
                    .allMatch(Trial::chosen).allMatch(trial -> trial.worst() < bounds.layer);
            assertThat(Golden.relativeL2(codes.output, output)).as("output").isLessThan(bounds.output);
            assertThat(codes.loss).as("loss").isCloseTo(loss, within(bounds.loss * loss));
            assertThat(Golden.relativeL2(codes.gradients, gradients)).as("gradients").isLessThan(bounds.gradient);
            assertThat(Golden.relativeL2(codes.output, decoded[0].output)).as("what 8 bits change")
                    .isBetween(0.005, bounds.change);
        }
    }

    private static Pass pass(TransformerCase golden, QwenImageTransformer model, Lora lora, Backend backend,
            TensorArena arena) {
        lora.clearGradients();
        TransformerInput input = golden.input(backend, arena);
        Tape tape = Tape.recording(backend, arena);
        Tensor out = model.forward(tape, input, Tape.Keep.INPUTS);
        float[] weights = new float[input.batch()];
        Arrays.fill(weights, 1);
        double loss = new Ops(tape).meanSquaredError(out,
                backend.floats(arena, golden.data().floats("target_packed"), out.shape().toArray()), weights, 1);
        tape.backward();
        float[] gradients = new float[(int) lora.layout().parameters()];
        for (Lora.Span span : lora.spansWithGradient()) {
            float[] part = backend.toArray(span.of(lora.gradients()));
            System.arraycopy(part, 0, gradients, (int) span.from(), part.length);
        }
        return new Pass(backend.toArray(out), loss, gradients);
    }
}
