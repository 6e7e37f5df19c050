package nocturne.train;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import nocturne.adapter.Lora;
import nocturne.adapter.LoraLayout;
import nocturne.adapter.LoraTargets;
import nocturne.cpu.CpuBackend;
import nocturne.qwen.Grid;
import nocturne.qwen.QwenImageTransformer;
import nocturne.qwen.TransformerConfig;
import nocturne.tensor.Backend;
import nocturne.tensor.Philox;
import nocturne.tensor.Tape;
import nocturne.tensor.TensorArena;

/// A whole training step of a small random model, to be run again elsewhere and compared bit by bit: two samples of
/// different text length, a control picture that is modulated apart, an optimiser update and an average.
///
/// As a program of its own it prints the digest of the results, for a virtual machine with other settings.
final class OneStep implements AutoCloseable {
    private static final int RANK = 3;

    private final Backend backend;
    private final TensorArena weights;
    final TensorArena passes;
    private final QwenImageTransformer base;
    private final TransformerConfig config;

    /// @param layers blocks of the model
    OneStep(Backend backend, int layers) {
        this.backend = backend;
        weights = backend.newArena();
        passes = backend.newArena();
        config = new TransformerConfig(layers, 3, 16, 40, 64, List.of(4, 6, 6), true);
        base = QwenImageTransformer.random(config, 7, backend, weights);
    }

    /// What a step computes.
    record Result(double loss, float[] gradients, float[] parameters, float[] average) {
        String digest() {
            ByteBuffer bytes = ByteBuffer.allocate(8 + 4 * (gradients.length + parameters.length + average.length));
            bytes.putDouble(loss);
            for (float[] numbers : List.of(gradients, parameters, average)) {
                bytes.asFloatBuffer().put(numbers);
                bytes.position(bytes.position() + 4 * numbers.length);
            }
            try {
                return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes.array()));
            } catch (NoSuchAlgorithmException impossible) {
                throw new IllegalStateException(impossible);
            }
        }
    }

    Result run(Tape.Keep keep) {
        try (TensorArena.Scope scope = weights.scope()) {
            LoraLayout layout = LoraLayout.of(LoraTargets.of(config.layers(), config.width()), RANK);
            Lora lora = new Lora(layout, 2 * RANK, backend, weights);
            backend.write(numbers("lora", (int) layout.parameters(), 0.05f), lora.values());
            AdamWOptimizer optimizer =
                    new AdamWOptimizer(new AdamWOptimizer.Settings(0.9, 0.999, 1e-8, 1e-2, 1), lora, backend, weights);
            MovingAverage average = new MovingAverage(0.9, true, lora.values(), backend, weights);
            Learner learner = new Learner(base, lora, block -> keep, backend, passes);
            double loss = learner.accumulate(batch(1), 0.5f) + learner.accumulate(batch(2), 0.5f);
            // Factors without a gradient hold whatever was in their memory before.
            float[] gradients = new float[(int) layout.parameters()];
            for (Lora.Span span : lora.spansWithGradient()) {
                float[] part = backend.toArray(span.of(lora.gradients()));
                System.arraycopy(part, 0, gradients, (int) span.from(), part.length);
            }
            optimizer.update(lora, 1, 1e-3);
            average.follow(lora.values(), 1);
            return new Result(loss, gradients, backend.toArray(lora.values()), backend.toArray(average.values()));
        }
    }

    private MicroBatch batch(int number) {
        List<Grid> grids = List.of(new Grid(4, 5), new Grid(3, 3));
        int target = 2 * grids.get(0).tokens() * 64;
        int textRows = 7;
        return new MicroBatch(numbers("latents" + number, target, 1), numbers("noise" + number, target, 1),
                numbers("controls" + number, 2 * grids.get(1).tokens() * 64, 1),
                numbers("text" + number, 2 * textRows * config.textWidth(), 3), new int[] {textRows, 4},
                new float[] {0.8f, 0.25f}, new float[] {1, 0.5f}, grids);
    }

    private static float[] numbers(String name, int count, float deviation) {
        float[] numbers = new float[count];
        Philox.stream(11, name).fillNormal(numbers, 0);
        for (int i = 0; i < count; i++) numbers[i] *= deviation;
        return numbers;
    }

    @Override
    public void close() {
        passes.close();
        weights.close();
    }

    /// @param arguments threads, layers, repetitions
    public static void main(String[] arguments) {
        int[] numbers = Arrays.stream(arguments).mapToInt(Integer::parseInt).toArray();
        try (Backend backend = new CpuBackend(numbers[0]); OneStep step = new OneStep(backend, numbers[1])) {
            for (int i = 1; i < numbers[2]; i++) step.run(Tape.Keep.ALL);
            System.out.println("digest " + step.run(Tape.Keep.ALL).digest());
        }
    }
}
