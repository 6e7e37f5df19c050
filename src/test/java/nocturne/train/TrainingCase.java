package nocturne.train;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import nocturne.adapter.Lora;
import nocturne.adapter.LoraLayout;
import nocturne.golden.Golden;
import nocturne.io.TensorSource;
import nocturne.qwen.Grid;
import nocturne.qwen.Latents;
import nocturne.qwen.TransformerCase;
import nocturne.tensor.Backend;
import nocturne.tensor.Loss;
import nocturne.tensor.Tape;
import nocturne.tensor.TensorArena;

/// A whole training of the reference trainer: `train_<name>.json` with its data, start and end, to be followed on any
/// backend.
record TrainingCase(String name, JsonNode json) {
    private static final int TOKEN_WIDTH = TransformerCase.config().tokenWidth();

    /// What a backend comes to. Numbers are in the order of the LoRA's parameters.
    ///
    /// @param losses        of each micro-step
    /// @param norms         of each step's gradient, before clipping
    /// @param update        how far the parameters have moved
    /// @param averageUpdate how far their average has
    /// @param m             AdamW's first moment
    /// @param v             and the second
    record Outcome(double[] losses, double[] norms, float[] update, float[] averageUpdate, float[] m, float[] v) {}

    static List<TrainingCase> all() {
        return Golden.names(Golden.json("golden/manifest.json")).stream()
                .filter(file -> file.matches("train_\\w[^/]*\\.json"))
                .map(file -> new TrainingCase(
                        file.substring("train_".length(), file.length() - ".json".length()),
                        Golden.json("golden/" + file)))
                .toList();
    }

    int steps() {
        return json.path("steps").intValue();
    }

    /// Trains as the reference did.
    ///
    /// @param steps as many as the reference has made, or fewer
    Outcome follow(int steps, Backend backend) {
        TensorSource data = Golden.tensors("golden/train_%s_data.safetensors".formatted(withFile("data").name));
        double[] losses = new double[steps * accumulation()];
        double[] norms = new double[steps];
        try (TensorArena weights = backend.newArena(); TensorArena passes = backend.newArena()) {
            Lora lora = TransformerCase.lora(start(), json.path("alpha").doubleValue(), backend, weights);
            Learner learner = new Learner(
                    TransformerCase.load(backend, weights, json.path("zero_cond_t").booleanValue()), lora,
                    block -> Tape.Keep.ALL, backend, passes);
            AdamWOptimizer optimizer = new AdamWOptimizer(settings(), lora, backend, weights);
            MovingAverage average =
                    new MovingAverage(json.path("ema_decay").doubleValue(), false, lora.values(), backend, weights);
            float gradientScale = json.path("gradient_reduction").textValue().equals("sum") ? 1 : 1f / accumulation();
            int micro = 0;
            for (int step = 1; step <= steps; step++) {
                lora.clearGradients();
                for (int j = 0; j < accumulation(); j++) {
                    losses[micro] = learner.accumulate(batch(data, micro), gradientScale);
                    micro++;
                }
                norms[step - 1] = optimizer.update(lora, step, json.at("/optimizer/lr").doubleValue());
                average.follow(lora.values(), step);
            }
            return new Outcome(losses, norms, movedTo(backend.toArray(lora.values())),
                    movedTo(backend.toArray(average.values())), moment(backend, optimizer, "m"),
                    moment(backend, optimizer, "v"));
        }
    }

    /// What is done with a run's first micro-batch.
    interface FirstBatch {
        void learn(Learner learner, Lora lora, MicroBatch batch);
    }

    /// Where the reference began, with another loss.
    void begin(Loss loss, Backend backend, FirstBatch first) {
        TensorSource data = Golden.tensors("golden/train_%s_data.safetensors".formatted(withFile("data").name));
        try (TensorArena weights = backend.newArena(); TensorArena passes = backend.newArena()) {
            Lora lora = TransformerCase.lora(start(), json.path("alpha").doubleValue(), backend, weights);
            first.learn(new Learner(
                    TransformerCase.load(backend, weights, json.path("zero_cond_t").booleanValue()), lora,
                    block -> Tape.Keep.ALL, loss, backend, passes), lora, batch(data, 0));
        }
    }

    private static float[] moment(Backend backend, AdamWOptimizer optimizer, String name) {
        return backend.toArray(Objects.requireNonNull(optimizer.state().get(name)));
    }

    /// The losses of the reference's first so many steps.
    double[] losses(int steps) {
        return Arrays.copyOf(Golden.numbers(json.path("micro_losses")), steps * accumulation());
    }

    /// The gradients' norms in the reference's first so many steps, before clipping.
    double[] norms(int steps) {
        return Arrays.copyOf(Golden.numbers(json.path("grad_norms_before_clip")), steps);
    }

    /// How far the parameters of the reference have moved in all its steps.
    float[] update() {
        return movedTo(values("final"));
    }

    float[] averageUpdate() {
        return movedTo(values("ema"));
    }

    LoraLayout layout() {
        return TransformerCase.layout(start());
    }

    private int accumulation() {
        return json.path("gradient_accumulation").intValue();
    }

    private float[] movedTo(float[] values) {
        float[] moved = TransformerCase.values(layout(), start());
        for (int i = 0; i < moved.length; i++) moved[i] = values[i] - moved[i];
        return moved;
    }

    private float[] values(String part) {
        return TransformerCase.values(layout(), Golden.tensors("golden/train_%s_%s.safetensors".formatted(name, part)));
    }

    private TensorSource start() {
        return Golden.tensors("golden/train_%s_init.safetensors".formatted(withFile("init").name));
    }

    /// A run without data or start of its own repeats another's: the longest run name it begins with.
    private TrainingCase withFile(String part) {
        return all().stream()
                .filter(other -> name.startsWith(other.name)
                        && Golden.path("golden/train_%s_%s.safetensors".formatted(other.name, part)).toFile().exists())
                .max((a, b) -> Integer.compare(a.name.length(), b.name.length()))
                .orElseThrow(() -> new AssertionError("no %s file for training run %s".formatted(part, name)));
    }

    private AdamWOptimizer.Settings settings() {
        JsonNode optimizer = json.path("optimizer");
        return new AdamWOptimizer.Settings(
                optimizer.at("/betas/0").doubleValue(),
                optimizer.at("/betas/1").doubleValue(),
                optimizer.path("eps").doubleValue(),
                optimizer.path("weight_decay").doubleValue(),
                json.path("max_grad_norm").asDouble(Double.POSITIVE_INFINITY));
    }

    private MicroBatch batch(TensorSource data, int micro) {
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

    @Override
    public String toString() {
        return name;
    }
}
