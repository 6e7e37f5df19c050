package nocturne.cuda;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.BiFunction;
import nocturne.io.DType;
import nocturne.io.HalfPrecision;
import nocturne.tensor.Backend;
import nocturne.tensor.Shape;
import nocturne.tensor.Tensor;

/// One of the two backends of a [Twins] comparison, as the program under test sees it: where its tensors come from.
///
/// The same program runs on both sides and must ask for the same tensors. Each has memory of its own.
final class Side {
    /// @param mayChange  whether the program may write it; then it is compared
    /// @param before     what was put into it
    record Entry(Tensor tensor, boolean mayChange, float[] before) {}

    private final Backend backend;
    private final DType activations;
    /// What `activations` means here: the CPU keeps numbers that bf16 can hold in float32.
    private final BiFunction<DType, Shape, Tensor> memory;
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    Side(Backend backend, DType activations, BiFunction<DType, Shape, Tensor> memory) {
        this.backend = backend;
        this.activations = activations;
        this.memory = memory;
    }

    Backend backend() {
        return backend;
    }

    /// An input of the activations' type: standard normal numbers that depend on its name only, rounded to that type on
    /// both sides.
    Tensor given(String name, int... dims) {
        return given(name, normal(name, dims), dims);
    }

    Tensor given(String name, float[] numbers, int... dims) {
        return enter(name, activations, false, numbers, dims);
    }

    /// An input that is float32 whatever the activations are.
    Tensor givenFloats(String name, int... dims) {
        return givenFloats(name, normal(name, dims), dims);
    }

    Tensor givenFloats(String name, float[] numbers, int... dims) {
        return enter(name, DType.F32, false, numbers, dims);
    }

    /// An output of the activations' type: full of NaN before, compared after.
    Tensor result(String name, int... dims) {
        return enter(name, activations, true, nan(dims), dims);
    }

    /// An output that is float32 whatever the activations are.
    Tensor resultFloats(String name, int... dims) {
        return enter(name, DType.F32, true, nan(dims), dims);
    }

    /// An input that the operation changes: compared after.
    Tensor changed(String name, int... dims) {
        return enter(name, activations, true, normal(name, dims), dims);
    }

    Tensor changed(String name, float[] numbers, int... dims) {
        return enter(name, activations, true, numbers, dims);
    }

    Tensor changedFloats(String name, int... dims) {
        return changedFloats(name, normal(name, dims), dims);
    }

    Tensor changedFloats(String name, float[] numbers, int... dims) {
        return enter(name, DType.F32, true, numbers, dims);
    }

    private Tensor enter(String name, DType type, boolean mayChange, float[] numbers, int... dims) {
        float[] rounded = numbers.clone();
        if (type == DType.BF16) {
            for (int i = 0; i < rounded.length; i++) {
                rounded[i] = HalfPrecision.fromBf16(HalfPrecision.toBf16(rounded[i]));
            }
        }
        Tensor tensor = memory.apply(type, Shape.of(dims));
        backend.write(rounded, tensor);
        if (entries.put(name, new Entry(tensor, mayChange, rounded)) != null) {
            throw new IllegalArgumentException("two tensors called " + name);
        }
        return tensor;
    }

    Map<String, Entry> entries() {
        return entries;
    }

    List<String> names() {
        return new ArrayList<>(entries.keySet());
    }

    static float[] normal(String name, int... dims) {
        SplittableRandom random = new SplittableRandom(name.hashCode());
        float[] numbers = new float[Math.toIntExact(Shape.of(dims).elements())];
        for (int i = 0; i < numbers.length; i++) numbers[i] = (float) random.nextGaussian();
        return numbers;
    }

    private static float[] nan(int... dims) {
        float[] numbers = new float[Math.toIntExact(Shape.of(dims).elements())];
        Arrays.fill(numbers, Float.NaN);
        return numbers;
    }
}
