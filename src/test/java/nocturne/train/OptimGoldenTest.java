package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Stream;
import nocturne.adapter.LinearShape;
import nocturne.adapter.Lora;
import nocturne.adapter.LoraLayout;
import nocturne.cpu.CpuBackend;
import nocturne.golden.Golden;
import nocturne.io.TensorSource;
import nocturne.tensor.Backend;
import nocturne.tensor.Linear;
import nocturne.tensor.Ops;
import nocturne.tensor.Optimisation.AdamW;
import nocturne.tensor.Tape;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// torch's AdamW, its gradient clipping and the reference trainer's moving average, alone: the parameters after every
/// step for gradients of very different size.
///
/// The tolerance is the reference's for float32, 5e-6: the distance between its float32 and float64 runs is 1.3e-6.
class OptimGoldenTest {
    private static final double TOLERANCE = 5e-6;
    private static final TensorSource GOLDEN = Golden.tensors("golden/optim.safetensors");
    private static final JsonNode SETTINGS = Golden.json("golden/optim.json");

    static Stream<String> settings() {
        return Golden.names(SETTINGS).stream();
    }

    private static AdamWOptimizer.Settings of(String tag) {
        JsonNode json = SETTINGS.path(tag);
        return new AdamWOptimizer.Settings(json.at("/betas/0").doubleValue(), json.at("/betas/1").doubleValue(),
                json.path("eps").doubleValue(), json.path("weight_decay").doubleValue(),
                json.path("max_grad_norm").asDouble(Double.POSITIVE_INFINITY));
    }

    private static float[] row(String name, int row) {
        float[] all = GOLDEN.floats(name);
        int length = GOLDEN.floats("p0").length;
        return Arrays.copyOfRange(all, row * length, (row + 1) * length);
    }

    private static int steps() {
        return GOLDEN.entry("grads").shape().getFirst().intValue();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("settings")
    void theUpdateFollowsTorchStepByStep(String tag) {
        AdamWOptimizer.Settings settings = of(tag);
        float[] start = GOLDEN.floats("p0");
        AdamW adam = new AdamW(SETTINGS.path(tag).path("lr").doubleValue(), settings.beta1(), settings.beta2(),
                settings.eps(), settings.weightDecay());
        try (Backend backend = new CpuBackend(1); TensorArena arena = backend.newArena()) {
            Tensor p = backend.tensor(arena, start, start.length);
            Tensor m = backend.tensor(arena, new float[start.length], start.length);
            Tensor v = backend.tensor(arena, new float[start.length], start.length);
            Tensor g = arena.allocate(start.length);
            for (int step = 1; step <= steps(); step++) {
                backend.write(row("grads", step - 1), g);
                double norm = Math.sqrt(backend.optimisation().sumOfSquares(g));
                backend.optimisation().adamW(p, g, m, v, adam, step,
                        (float) Math.min(1, settings.maxGradNorm() / (norm + 1e-6)));
                assertThat(Golden.maxAbsDiff(backend.toArray(p), row(tag + ".params", step - 1))).as("step %d", step)
                        .isLessThan(TOLERANCE);
            }
        }
    }

    /// The same through the trainer's own parts: clipping, the optimiser and every average in the file.
    @ParameterizedTest(name = "{0}")
    @MethodSource("settings")
    void theOptimizerAndTheAveragesFollowTheReferenceStepByStep(String tag) {
        float[] start = GOLDEN.floats("p0");
        try (Backend backend = new CpuBackend(1); TensorArena arena = backend.newArena()) {
            Lora lora = loraOf(start, backend, arena);
            AdamWOptimizer optimizer = new AdamWOptimizer(of(tag), lora, backend, arena);
            Map<String, MovingAverage> averages = new LinkedHashMap<>();
            String prefix = tag + ".ema";
            for (String name : GOLDEN.tensors().keySet()) {
                if (!name.startsWith(prefix)) continue;
                double decay = Double.parseDouble(name.substring(prefix.length()));
                averages.put(name, new MovingAverage(decay, false, lora.values(), backend, arena));
            }
            assertThat(averages).isNotEmpty();
            for (int step = 1; step <= steps(); step++) {
                float[] gradient = row("grads", step - 1);
                backend.write(gradient, lora.gradients());
                double norm = optimizer.update(lora, step, SETTINGS.path(tag).path("lr").doubleValue());
                double squares = 0;
                for (float g : gradient) squares += (double) g * g;
                assertThat(norm).isCloseTo(Math.sqrt(squares), within(1e-9 * norm));
                assertThat(Golden.maxAbsDiff(backend.toArray(lora.values()), row(tag + ".params", step - 1)))
                        .as("step %d", step).isLessThan(TOLERANCE);
                for (MovingAverage average : averages.values()) average.follow(lora.values(), step);
            }
            averages.forEach((name, average) -> assertThat(
                    Golden.maxAbsDiff(backend.toArray(average.values()), GOLDEN.floats(name))).as(name)
                    .isLessThan(TOLERANCE));
        }
    }

    /// A LoRA of rank 1 on one layer, with as many parameters as the file has. A pass over zeros marks both factors as
    /// having a gradient; what it is, each step then says.
    private static Lora loraOf(float[] start, Backend backend, TensorArena arena) {
        SequencedMap<String, LinearShape> target = new LinkedHashMap<>();
        int in = start.length / 2;
        int out = start.length - in;
        target.put("layer", new LinearShape(out, in));
        Lora lora = new Lora(LoraLayout.of(target, 1), 1, backend, arena);
        Tape tape = Tape.recording(backend, arena);
        Linear layer = new Linear(backend.tensor(arena, new float[out * in], out, in), null);
        Tensor y = new Ops(tape).linear(backend.tensor(arena, new float[in], 1, in),
                layer.with(lora.trained().on("layer")));
        new Ops(tape).meanSquaredError(y, backend.tensor(arena, new float[out], 1, out), new float[] {1}, 1);
        tape.backward();
        backend.write(start, lora.values());
        assertThat(lora.spansWithGradient()).isEqualTo(List.of(new Lora.Span(0, start.length)));
        return lora;
    }
}
