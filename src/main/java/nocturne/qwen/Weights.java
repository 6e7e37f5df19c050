package nocturne.qwen;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import nocturne.io.TensorEntry;
import nocturne.io.TensorSource;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import nocturne.tensor.Backend;
import nocturne.tensor.Linear;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;

/// Takes a model's frozen tensors from its files, and collects everything that is missing or misshapen on the way.
///
/// A part of the model asks for each tensor by name and shape and gets a tensor whatever happens; [#requireComplete]
/// then refuses the model with every problem at once.
final class Weights {
    private final TensorSource source;
    private final Backend backend;
    private final TensorArena arena;
    private final List<Problem> problems = new ArrayList<>();

    /// @param arena where the weights live as long as the model does
    Weights(TensorSource source, Backend backend, TensorArena arena) {
        this.source = source;
        this.backend = backend;
        this.arena = arena;
    }

    /// A tensor widened to float32.
    Tensor tensor(String name, int... shape) {
        Tensor tensor = arena.allocate(shape);
        if (fits(name, shape)) backend.write(source.floats(name), tensor);
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

    private boolean fits(String name, int... shape) {
        if (!source.has(name)) {
            problems.add(new Problem("MODEL_INVALID", source.where(), "has no tensor " + name));
            return false;
        }
        TensorEntry entry = source.entry(name);
        List<Long> expected = IntStream.of(shape).asLongStream().boxed().collect(Collectors.toList());
        if (entry.shape().equals(expected)) return true;
        problems.add(new Problem("MODEL_INVALID", source.where(),
                "tensor %s is %s; config.json makes it %s".formatted(name, entry.shape(), expected)));
        return false;
    }

    /// @param what the part of the model, for the headline
    /// @throws UserMistake `MODEL_INVALID` naming every missing or misshapen tensor
    void requireComplete(String what) {
        if (problems.isEmpty()) return;
        throw new UserMistake("The %s in %s does not fit its config.json: %d problem%s.".formatted(
                what, source.where(), problems.size(), problems.size() == 1 ? "" : "s"), problems);
    }
}
