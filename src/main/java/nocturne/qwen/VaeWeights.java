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
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;

/// Takes the autoencoder's tensors from its file in the form the operations want them, and collects everything that is
/// missing or misshapen on the way.
///
/// The file holds the kernels of a video model. Each is causal in time with zeros for history, so for a single picture
/// only its last temporal slice ever meets anything but zero. `time_conv` weights are not read at all.
final class VaeWeights {
    /// A 3x3 convolution's kernel, `[out, 9 * in]`, and bias.
    record Kernel(Tensor weight, Tensor bias) {
        int out() {
            return weight.rows();
        }
    }

    private final TensorSource source;
    private final Backend backend;
    private final TensorArena arena;
    private final List<Problem> problems = new ArrayList<>();

    /// @param arena where the weights live as long as the model does
    VaeWeights(TensorSource source, Backend backend, TensorArena arena) {
        this.source = source;
        this.backend = backend;
        this.arena = arena;
    }

    /// `<module>.weight [out, in, 3, 3, 3]`: the slice that sees the picture itself.
    Kernel videoKernel(String module, int in, int out) {
        return new Kernel(kernel(module, in, out, 3, 3, 3), vector(module + ".bias", out, out));
    }

    /// `<module>.weight [out, in, 3, 3]`.
    Kernel pictureKernel(String module, int in, int out) {
        return new Kernel(kernel(module, in, out, 3, 3), vector(module + ".bias", out, out));
    }

    /// `<module>.weight [out, in, 1, 1, 1]`, a linear layer on every pixel.
    Linear pointwise(String module, int in, int out) {
        return new Linear(matrix(module, 0, out, in, out, in, 1, 1, 1), vector(module + ".bias", out, out));
    }

    /// `<module>.weight [out, in, 1, 1]`.
    Linear picturePointwise(String module, int in, int out) {
        return new Linear(matrix(module, 0, out, in, out, in, 1, 1), vector(module + ".bias", out, out));
    }

    /// `<module>.weight [3 * width, width, 1, 1]`, cut into queries, keys and values.
    List<Linear> thirds(String module, int width) {
        float[] bias = read(module + ".bias", 3 * width);
        List<Linear> parts = new ArrayList<>();
        for (int part = 0; part < 3; part++) {
            Tensor weight = matrix(module, part * width, width, width, 3 * width, width, 1, 1);
            Tensor slice = arena.allocate(width);
            if (bias.length > 0) backend.write(Arrays.copyOfRange(bias, part * width, (part + 1) * width), slice);
            parts.add(new Linear(weight, slice));
        }
        return parts;
    }

    /// A channel norm's weight, stored with as many trailing axes of 1 as its input had.
    Tensor gamma(String name, int... shape) {
        return vector(name, shape[0], shape);
    }

    private Tensor vector(String name, int length, int... shape) {
        return written(read(name, shape), length);
    }

    private Tensor matrix(String module, int firstRow, int rows, int columns, int... shape) {
        float[] stored = read(module + ".weight", shape);
        float[] part = stored.length == 0
                ? stored
                : Arrays.copyOfRange(stored, firstRow * columns, (firstRow + rows) * columns);
        return written(part, rows, columns);
    }

    /// Stored `[out, in, (time,) ky, kx]` becomes `[out, (ky, kx, in)]`, the last moment in time taken.
    private Tensor kernel(String module, int in, int out, int... window) {
        int[] shape = new int[2 + window.length];
        shape[0] = out;
        shape[1] = in;
        System.arraycopy(window, 0, shape, 2, window.length);
        float[] stored = read(module + ".weight", shape);
        if (stored.length == 0) return written(stored, out, 9 * in);
        int volume = window.length == 3 ? 27 : 9;
        float[] kernel = new float[out * 9 * in];
        for (int pair = 0; pair < out * in; pair++) {
            int o = pair / in;
            int i = pair % in;
            for (int tap = 0; tap < 9; tap++) kernel[(o * 9 + tap) * in + i] = stored[pair * volume + volume - 9 + tap];
        }
        return written(kernel, out, 9 * in);
    }

    private Tensor written(float[] numbers, int... shape) {
        Tensor tensor = arena.allocate(shape);
        if (numbers.length > 0) backend.write(numbers, tensor);
        return tensor;
    }

    /// A tensor's numbers, none where it is missing or misshapen.
    private float[] read(String name, int... shape) {
        List<Long> expected = Arrays.stream(shape).asLongStream().boxed().toList();
        TensorEntry entry = source.tensors().get(name);
        if (entry == null) {
            problems.add(new Problem("MODEL_INVALID", source.where(), "has no tensor %s %s".formatted(name, expected)));
        } else if (!entry.shape().equals(expected)) {
            problems.add(new Problem("MODEL_INVALID", source.where(),
                    "tensor %s is %s; config.json makes it %s".formatted(name, entry.shape(), expected)));
        } else {
            return source.floats(name);
        }
        return new float[0];
    }

    /// @throws UserMistake `MODEL_INVALID` naming every missing or misshapen tensor
    void requireComplete() {
        if (problems.isEmpty()) return;
        throw new UserMistake("The autoencoder in %s does not fit its config.json: %d problem%s.".formatted(
                source.where(), problems.size(), problems.size() == 1 ? "" : "s"), problems);
    }
}
