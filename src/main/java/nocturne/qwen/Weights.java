package nocturne.qwen;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import nocturne.io.DType;
import nocturne.io.TensorEntry;
import nocturne.io.TensorSource;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import nocturne.quant.LayerFormats;
import nocturne.quant.QuantizedLayers;
import nocturne.quant.QuantizedMatrix;
import nocturne.quant.WeightType;
import nocturne.tensor.Backend;
import nocturne.tensor.Linear;
import nocturne.tensor.Philox;
import nocturne.tensor.Shape;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import nocturne.tensor.Weight;

/// Takes a model's frozen tensors from its files, and collects everything that is missing or misshapen on the way.
///
/// A part of the model asks for each tensor by name and shape and gets a tensor whatever happens; [#requireComplete]
/// then refuses the model with every problem at once.
final class Weights {
    /// Spread of random weights: small enough that activations stay finite through 60 blocks.
    private static final float RANDOM_DEVIATION = 0.02f;
    private static final int MAX_UNUSED = 20;
    private static final String WEIGHT = ".weight";

    /// Where a tensor that was asked for comes from.
    private interface Supply {
        Tensor give(String name, Shape shape);

        /// The matrix of a linear layer, perhaps in a smaller format.
        default Weight giveWeight(String module, Shape shape) {
            return give(module + WEIGHT, shape);
        }

        /// The same as numbers, for a matrix that is cut up.
        default Tensor giveNumbers(String module, Shape shape) {
            return give(module + WEIGHT, shape);
        }
    }

    private final String where;
    private final Supply supply;
    private final List<Problem> problems;
    private final Set<String> unused;

    /// @param stored names of all tensors in the files
    private Weights(String where, Supply supply, List<Problem> problems, Set<String> stored) {
        this.where = where;
        this.supply = supply;
        this.problems = problems;
        unused = new LinkedHashSet<>(stored);
    }

    /// Weights from files, in the device's type.
    ///
    /// @param arena where the weights live as long as the model does
    static Weights of(TensorSource source, Backend backend, TensorArena arena) {
        return of(source, QuantizedLayers.Part.EMPTY, backend, arena);
    }

    /// The same, but some layers are kept in a smaller format.
    ///
    /// @param quantized those layers
    static Weights of(TensorSource source, QuantizedLayers.Part quantized, Backend backend, TensorArena arena) {
        List<Problem> problems = new ArrayList<>();
        Supply supply = new Supply() {
            @Override
            public Tensor give(String name, Shape shape) {
                Tensor tensor = arena.allocate(shape);
                if (!fits(source, name, shape, problems)) return tensor;
                if (source.entry(name).dtype() == tensor.type()) backend.fromHostMemory(source.bytes(name), tensor);
                else backend.write(to -> source.widen(name, to, 0), tensor);
                return tensor;
            }

            @Override
            public Weight giveWeight(String module, Shape shape) {
                QuantizedMatrix matrix = quantized.matrix(module);
                return matrix == null ? give(module + WEIGHT, shape) : backend.keep(matrix, arena);
            }

            @Override
            public Tensor giveNumbers(String module, Shape shape) {
                QuantizedMatrix matrix = quantized.matrix(module);
                if (matrix == null) return give(module + WEIGHT, shape);
                Tensor numbers = arena.allocate(shape);
                backend.write(to -> matrix.dequantize(0, matrix.rows(), to, 0), numbers);
                return numbers;
            }
        };
        return new Weights(source.where(), supply, problems, source.tensors().keySet());
    }

    /// Random weights of any shape that is asked for, to measure speed without a model.
    static Weights random(long seed, Backend backend, TensorArena arena) {
        return random(seed, LayerFormats.NONE, arena, backend, arena);
    }

    /// The same, but some layers are kept in a smaller format.
    ///
    /// @param numbers where a layer's numbers are until they are codes
    static Weights random(long seed, LayerFormats formats, TensorArena numbers, Backend backend, TensorArena arena) {
        Supply supply = new Supply() {
            @Override
            public Tensor give(String name, Shape shape) {
                return random(name, shape, arena);
            }

            @Override
            public Weight giveWeight(String module, Shape shape) {
                Optional<WeightType> type = formats.of(module, shape.columns());
                if (type.isEmpty()) return give(module + WEIGHT, shape);
                try (TensorArena.Scope scope = numbers.scope()) {
                    return backend.keep(random(module + WEIGHT, shape, numbers), type.get(), arena);
                }
            }

            private Tensor random(String name, Shape shape, TensorArena where) {
                Tensor tensor = where.allocate(shape);
                backend.fillNormal(Philox.stream(seed, name), RANDOM_DEVIATION, tensor);
                return tensor;
            }
        };
        return new Weights("random weights", supply, List.of(), Set.of());
    }

    /// Memory for every tensor that is asked for, with undefined content: for a [Backend#rehearsal].
    static Weights empty(LayerFormats formats, Backend backend, TensorArena arena) {
        Supply supply = new Supply() {
            @Override
            public Tensor give(String name, Shape shape) {
                return arena.allocate(shape);
            }

            @Override
            public Weight giveWeight(String module, Shape shape) {
                Optional<WeightType> type = formats.of(module, shape.columns());
                if (type.isEmpty()) return arena.allocate(shape);
                return backend.keep(QuantizedMatrix.withoutNumbers(type.get(), shape.rows(), shape.columns()), arena);
            }
        };
        return new Weights("no weights", supply, List.of(), Set.of());
    }

    /// Compares every tensor it is asked for with the files and reads none: for models whose layers are loaded one at a
    /// time, which are checked as a whole beforehand. The tensors it gives have a shape and no numbers.
    static Weights checking(TensorSource source) {
        List<Problem> problems = new ArrayList<>();
        Supply supply = (name, shape) -> {
            fits(source, name, shape, problems);
            return new Tensor(shape, DType.F32, MemorySegment.NULL.reinterpret(4 * shape.elements()));
        };
        return new Weights(source.where(), supply, problems, source.tensors().keySet());
    }

    /// A tensor in float32.
    Tensor tensor(String name, int... shape) {
        unused.remove(name);
        return supply.give(name, Shape.of(shape));
    }

    /// `<module>.weight [out, in]` and `<module>.bias [out]`.
    Linear linear(String module, int in, int out) {
        return new Linear(weight(module, in, out), tensor(module + ".bias", out));
    }

    /// `<module>.weight [out, in]` alone.
    Linear linearWithoutBias(String module, int in, int out) {
        return new Linear(weight(module, in, out), null);
    }

    private Weight weight(String module, int in, int out) {
        unused.remove(module + WEIGHT);
        return supply.giveWeight(module, Shape.of(out, in));
    }

    /// Several layers that lie in the files as one, `<module>.weight [parts * out, in]` and
    /// `<module>.bias [parts * out]`, in order.
    List<Linear> linears(String module, int parts, int in, int out) {
        unused.remove(module + WEIGHT);
        Tensor weight = supply.giveNumbers(module, Shape.of(parts * out, in));
        Tensor bias = tensor(module + ".bias", parts * out);
        return IntStream.range(0, parts)
                .mapToObj(part -> new Linear(weight.rowRange(part * out, out), bias.slice((long) part * out, out)))
                .toList();
    }

    private static boolean fits(TensorSource source, String name, Shape shape, List<Problem> problems) {
        if (!source.has(name)) {
            problems.add(new Problem("MODEL_INVALID", source.where(), "has no tensor " + name));
            return false;
        }
        TensorEntry entry = source.entry(name);
        List<Long> expected = Arrays.stream(shape.toArray()).mapToObj(Long::valueOf).toList();
        if (!isFloat(entry.dtype())) {
            problems.add(new Problem("MODEL_INVALID", source.where(), ("tensor %s is stored as %s, in a way of its own"
                    + " that is not read; take the bf16 or fp8 files of the model").formatted(name, entry.dtype())));
            return false;
        }
        if (entry.shape().equals(expected)) return true;
        problems.add(new Problem("MODEL_INVALID", source.where(),
                "tensor %s is %s; config.json makes it %s".formatted(name, entry.shape(), expected)));
        return false;
    }

    private static boolean isFloat(DType type) {
        return switch (type) {
            case F64, F32, F16, BF16, F8_E4M3, F8_E5M2 -> true;
            case I64, I32, I16, I8, U8, BOOL -> false;
        };
    }

    /// Counts tensors that nobody has asked for among the problems: the files are of another model, which would be
    /// computed wrongly without them.
    ///
    /// @param harmless those that may be there
    void noteUnused(Predicate<String> harmless) {
        List<String> others = unused.stream().filter(harmless.negate()).toList();
        for (String name : others.subList(0, Math.min(others.size(), MAX_UNUSED))) {
            problems.add(new Problem("MODEL_INVALID", where, "holds the tensor %s, which this model does not have"
                    .formatted(name)));
        }
        if (others.size() > MAX_UNUSED) {
            problems.add(new Problem("MODEL_INVALID", where, "holds %d more tensors that this model does not have"
                    .formatted(others.size() - MAX_UNUSED)));
        }
    }

    /// @param part the part of the model, for the headline
    /// @throws UserMistake `MODEL_INVALID` naming every missing or misshapen tensor
    void requireComplete(String part) {
        if (problems.isEmpty()) return;
        throw new UserMistake("The %s in %s does not fit its config.json: %d problem%s.".formatted(
                part, where, problems.size(), problems.size() == 1 ? "" : "s"), problems);
    }
}
