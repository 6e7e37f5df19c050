package nocturne.qwen;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import nocturne.io.TensorEntry;
import nocturne.io.TensorSource;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import nocturne.tensor.Backend;
import nocturne.tensor.Linear;
import nocturne.tensor.Philox;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.jspecify.annotations.Nullable;

/// Takes a model's frozen tensors from its files, and collects everything that is missing or misshapen on the way.
///
/// A part of the model asks for each tensor by name and shape and gets a tensor whatever happens; [#requireComplete]
/// then refuses the model with every problem at once.
final class Weights {
    /// Spread of random weights: small enough that activations stay finite through 60 blocks.
    private static final float RANDOM_DEVIATION = 0.02f;

    private final @Nullable TensorSource source;
    private final Backend backend;
    private final TensorArena arena;
    private final long seed;
    private final List<Problem> problems = new ArrayList<>();

    private Weights(@Nullable TensorSource source, Backend backend, TensorArena arena, long seed) {
        this.source = source;
        this.backend = backend;
        this.arena = arena;
        this.seed = seed;
    }

    /// Weights from files, widened to float32.
    ///
    /// @param arena where the weights live as long as the model does
    static Weights of(TensorSource source, Backend backend, TensorArena arena) {
        return new Weights(source, backend, arena, 0);
    }

    /// Random weights of any shape that is asked for, to measure speed without a model.
    static Weights random(long seed, Backend backend, TensorArena arena) {
        return new Weights(null, backend, arena, seed);
    }

    /// A tensor in float32.
    Tensor tensor(String name, int... shape) {
        Tensor tensor = arena.allocate(shape);
        TensorSource files = source;
        if (files == null) backend.write(randomNumbers(name, tensor), tensor);
        else if (fits(files, name, shape)) backend.write(files.floats(name), tensor);
        return tensor;
    }

    /// `<module>.weight [out, in]` and `<module>.bias [out]`.
    Linear linear(String module, int in, int out) {
        return new Linear(tensor(module + ".weight", out, in), tensor(module + ".bias", out));
    }

    /// `<module>.weight [out, in]` alone.
    Linear linearWithoutBias(String module, int in, int out) {
        return new Linear(tensor(module + ".weight", out, in), null);
    }

    private float[] randomNumbers(String name, Tensor tensor) {
        float[] numbers = new float[Math.toIntExact(tensor.elements())];
        Philox.stream(seed, name).fillNormal(numbers, 0);
        for (int i = 0; i < numbers.length; i++) numbers[i] *= RANDOM_DEVIATION;
        return numbers;
    }

    private boolean fits(TensorSource files, String name, int... shape) {
        if (!files.has(name)) {
            problems.add(new Problem("MODEL_INVALID", files.where(), "has no tensor " + name));
            return false;
        }
        TensorEntry entry = files.entry(name);
        List<Long> expected = Arrays.stream(shape).mapToObj(Long::valueOf).toList();
        if (entry.shape().equals(expected)) return true;
        problems.add(new Problem("MODEL_INVALID", files.where(),
                "tensor %s is %s; config.json makes it %s".formatted(name, entry.shape(), expected)));
        return false;
    }

    /// @param part the part of the model, for the headline
    /// @throws UserMistake `MODEL_INVALID` naming every missing or misshapen tensor
    void requireComplete(String part) {
        if (source == null || problems.isEmpty()) return;
        throw new UserMistake("The %s in %s does not fit its config.json: %d problem%s.".formatted(
                part, source.where(), problems.size(), problems.size() == 1 ? "" : "s"), problems);
    }
}
