package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import nocturne.adapter.Lora;
import nocturne.cpu.CpuBackend;
import nocturne.golden.Golden;
import nocturne.io.TensorSource;
import nocturne.qwen.Grid;
import nocturne.qwen.Latents;
import nocturne.qwen.TransformerCase;
import nocturne.tensor.Backend;
import nocturne.tensor.Tape;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Whole training runs of the reference trainer: every loss, every gradient norm, the final weights and their average.
///
/// Tolerances are the reference's for float32: losses 1e-4; final weights 2e-4 in absolute terms and 1e-3 relative L2
/// of the update.
class TrainingGoldenTest {
    private static final int TOKEN_WIDTH = TransformerCase.config().tokenWidth();

    /// A run is a `train_<name>.json` with its data, start and end.
    static Stream<String> runs() {
        return Golden.names(Golden.json("golden/manifest.json")).stream()
                .filter(file -> file.matches("train_\\w[^/]*\\.json"))
                .map(file -> file.substring("train_".length(), file.length() - ".json".length()));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("runs")
    void followsTheReferenceStepByStep(String run) {
        JsonNode json = Golden.json("golden/train_%s.json".formatted(run));
        TensorSource start = Golden.tensors("golden/train_%s_init.safetensors".formatted(dataRun(run, "init")));
        TensorSource data = Golden.tensors("golden/train_%s_data.safetensors".formatted(dataRun(run, "data")));
        try (Backend backend = CpuBackend.withAllProcessors(); TensorArena weights = backend.newArena();
                TensorArena passes = backend.newArena()) {
            Lora lora = TransformerCase.lora(start, json.path("alpha").doubleValue(), backend, weights);
            float[] initial = backend.toArray(lora.values());
            Learner learner = new Learner(
                    TransformerCase.load(backend, weights, json.path("zero_cond_t").booleanValue()), lora,
                    block -> Tape.Keep.ALL, backend, passes);
            AdamWOptimizer optimizer = new AdamWOptimizer(settings(json), lora, backend, weights);
            MovingAverage average =
                    new MovingAverage(json.path("ema_decay").doubleValue(), false, lora.values(), backend, weights);
            int accumulation = json.path("gradient_accumulation").intValue();
            float gradientScale = json.path("gradient_reduction").textValue().equals("sum") ? 1 : 1f / accumulation;
            List<Double> losses = new ArrayList<>();
            for (int step = 1; step <= json.path("steps").intValue(); step++) {
                lora.clearGradients();
                for (int j = 0; j < accumulation; j++) {
                    losses.add(learner.accumulate(batch(json, data, (step - 1) * accumulation + j), gradientScale));
                }
                double norm = optimizer.update(lora, step, json.at("/optimizer/lr").doubleValue());
                average.follow(lora.values(), step);
                if (json.has("grad_norms_before_clip")) {
                    assertThat(norm).as("gradient norm of step %d", step)
                            .isCloseTo(json.path("grad_norms_before_clip").get(step - 1).doubleValue(), within(1e-3));
                }
            }
            double[] ours = losses.stream().mapToDouble(Double::doubleValue).toArray();
            assertThat(ours).containsExactly(Golden.numbers(json.path("micro_losses")), within(1e-4));
            checkUpdate(backend.toArray(lora.values()), initial, lora,
                    Golden.tensors("golden/train_%s_final.safetensors".formatted(run)));
            checkUpdate(backend.toArray(average.values()), initial, lora,
                    Golden.tensors("golden/train_%s_ema.safetensors".formatted(run)));
            checkMoments(run, backend, lora, optimizer);
        }
    }

    /// A run without data or start of its own repeats another's: the longest run name it begins with.
    private static String dataRun(String run, String part) {
        return runs().filter(run::startsWith)
                .filter(other -> Golden.path("golden/train_%s_%s.safetensors".formatted(other, part)).toFile().exists())
                .max((a, b) -> Integer.compare(a.length(), b.length()))
                .orElseThrow(() -> new AssertionError("no %s file for training run %s".formatted(part, run)));
    }

    private static AdamWOptimizer.Settings settings(JsonNode json) {
        JsonNode optimizer = json.path("optimizer");
        return new AdamWOptimizer.Settings(
                optimizer.at("/betas/0").doubleValue(),
                optimizer.at("/betas/1").doubleValue(),
                optimizer.path("eps").doubleValue(),
                optimizer.path("weight_decay").doubleValue(),
                json.path("max_grad_norm").asDouble(Double.POSITIVE_INFINITY));
    }

    private static MicroBatch batch(JsonNode json, TensorSource data, int micro) {
        int samples = json.path("batch_size").intValue();
        List<Grid> grids = TransformerCase.grids(json.path("img_shapes"));
        int targetSize = grids.getFirst().tokens() * TOKEN_WIDTH;
        int textRows = data.entry("text").shape().get(1).intValue();
        int textSize = textRows * data.entry("text").shape().get(2).intValue();
        int[] lengths = data.has("text_len") ? data.ints("text_len") : null;
        int controlSize = grids.stream().skip(1).mapToInt(Grid::tokens).sum() * TOKEN_WIDTH;

        float[] latents = new float[samples * targetSize];
        float[] noise = new float[samples * targetSize];
        float[] controls = new float[samples * controlSize];
        float[] text = new float[samples * textSize];
        int[] textLengths = new int[samples];
        float[] timesteps = new float[samples];
        float[] weights = new float[samples];
        Arrays.fill(weights, 1);
        for (int b = 0; b < samples; b++) {
            int draw = micro * samples + b;
            int sample = data.ints("sample_index")[draw];
            pack(data.floats("latents"), sample, grids.getFirst(), latents, b * targetSize);
            pack(data.floats("noise"), draw, grids.getFirst(), noise, b * targetSize);
            int at = b * controlSize;
            for (int i = 1; i < grids.size(); i++) {
                pack(data.floats("control_" + (i - 1)), sample, grids.get(i), controls, at);
                at += grids.get(i).tokens() * TOKEN_WIDTH;
            }
            System.arraycopy(data.floats("text"), sample * textSize, text, b * textSize, textSize);
            textLengths[b] = lengths == null ? textRows : lengths[sample];
            timesteps[b] = data.floats("timestep")[draw];
            if (data.has("loss_weight")) weights[b] = data.floats("loss_weight")[draw];
        }
        return new MicroBatch(latents, noise, controls, text, textLengths, timesteps, weights, grids);
    }

    private static void pack(float[] pictures, int index, Grid grid, float[] packed, int at) {
        int size = grid.tokens() * TOKEN_WIDTH;
        float[] one = Arrays.copyOfRange(pictures, index * size, (index + 1) * size);
        System.arraycopy(Latents.pack(one, TOKEN_WIDTH / 4, 2 * grid.rows(), 2 * grid.columns()), 0, packed, at, size);
    }

    private static void checkUpdate(float[] ours, float[] initial, Lora lora, TensorSource golden) {
        float[] expected = TransformerCase.values(lora.layout(), golden);
        assertThat(Golden.maxAbsDiff(ours, expected)).as("largest error of a weight").isLessThan(2e-4);
        assertThat(Golden.relativeL2(difference(ours, initial), difference(expected, initial)))
                .as("relative L2 of the update").isLessThan(1e-3);
    }

    private static float[] difference(float[] a, float[] b) {
        float[] difference = new float[a.length];
        for (int i = 0; i < a.length; i++) difference[i] = a[i] - b[i];
        return difference;
    }

    private static void checkMoments(String run, Backend backend, Lora lora, AdamWOptimizer optimizer) {
        String file = "golden/train_%s_optimizer.safetensors".formatted(run);
        if (!Golden.path(file).toFile().exists()) return;
        TensorSource golden = Golden.tensors(file);
        compareMoments(lora, moment(backend, optimizer, "m"), golden, "exp_avg.");
        compareMoments(lora, moment(backend, optimizer, "v"), golden, "exp_avg_sq.");
    }

    private static float[] moment(Backend backend, AdamWOptimizer optimizer, String name) {
        return backend.toArray(Objects.requireNonNull(optimizer.state().get(name)));
    }

    /// Tensors that never had a gradient have no moments in the file; ours are zero.
    private static void compareMoments(Lora lora, float[] ours, TensorSource golden, String prefix) {
        int rank = lora.layout().rank();
        for (var slot : lora.layout().slots()) {
            compareMoment(golden, prefix + slot.module() + ".lora_A.weight", ours, slot.downAt(), rank * slot.in());
            compareMoment(golden, prefix + slot.module() + ".lora_B.weight", ours, slot.upAt(), rank * slot.out());
        }
    }

    private static void compareMoment(TensorSource golden, String name, float[] ours, long at, int length) {
        float[] mine = Arrays.copyOfRange(ours, (int) at, (int) at + length);
        float[] theirs = golden.has(name) ? golden.floats(name) : new float[length];
        assertThat(Golden.maxAbsDiff(mine, theirs)).as(name).isLessThan(1e-5);
        assertThat(Golden.relativeL2(mine, theirs)).as("relative L2 of " + name).isLessThan(1e-3);
    }
}
