package nocturne.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import nocturne.cpu.CpuBackend;

/// A small computation, once with [Ops] on a [Tape] and once in double, and the check that the tape's gradients are the
/// differences of the double one.
///
/// The loss is the mean squared distance from zero. Central differences with a step of 1e-5 are good to about 1e-9; the
/// float32 gradients are sums of less than some two hundred terms, each rounded to 2^-24 of the largest.
final class Differentiated {
    private static final double STEP = 1e-5;
    private static final double TOLERANCE = 200 * 0x1p-24;

    /// The computation on a tape.
    interface Program {
        Tensor run(Ops ops, Map<String, Tensor> inputs);
    }

    /// The same in double.
    interface Reference {
        double[] run(Map<String, double[]> inputs);
    }

    private final Map<String, int[]> shapes = new LinkedHashMap<>();
    private final Set<String> frozen = new LinkedHashSet<>();
    private final Map<String, float[]> values = new LinkedHashMap<>();

    /// An input whose gradient is checked; standard normal numbers.
    Differentiated input(String name, int... dims) {
        float[] numbers = new float[(int) Shape.of(dims).elements()];
        Philox.stream(1, name).fillNormal(numbers, 0);
        shapes.put(name, dims);
        values.put(name, numbers);
        return this;
    }

    /// An input that needs no gradient and gets none.
    Differentiated frozen(String name, int... dims) {
        frozen.add(name);
        return input(name, dims);
    }

    Map<String, double[]> exact() {
        Map<String, double[]> exact = new LinkedHashMap<>();
        values.forEach((name, numbers) -> {
            double[] wide = new double[numbers.length];
            for (int i = 0; i < wide.length; i++) wide[i] = numbers[i];
            exact.put(name, wide);
        });
        return exact;
    }

    void check(Program program, Reference reference) {
        try (CpuBackend backend = new CpuBackend(2); TensorArena arena = backend.newArena()) {
            Map<String, Tensor> inputs = new LinkedHashMap<>();
            shapes.forEach((name, dims) -> {
                Tensor input = backend.tensor(arena, values.get(name), dims);
                if (!frozen.contains(name)) {
                    input.requireGrad();
                    // As a trained parameter has it: memory of its own, holding rubbish until it is written.
                    Tensor buffer = arena.allocate(dims);
                    backend.elementwise().fill(buffer, Float.NaN);
                    input.attachGradient(buffer);
                }
                inputs.put(name, input);
            });
            try (TensorArena.Scope scope = arena.scope()) {
                Tape tape = Tape.recording(backend, arena);
                Tensor out = program.run(new Ops(tape), inputs);
                Tensor zero = arena.allocate(out.shape());
                backend.elementwise().fill(zero, 0);
                double loss = new Ops(tape).meanSquaredError(out, zero, new float[] {1}, 1);
                assertThat(loss).as("loss").isCloseTo(loss(reference, exact()), within(TOLERANCE * (1 + loss)));
                tape.backward();
            }
            // A gradient that lies in the memory of the pass does not survive this.
            backend.elementwise().fill(arena.allocate(1 << 18), Float.NaN);
            inputs.forEach((name, input) -> {
                if (frozen.contains(name)) {
                    assertThat(input.grad()).as("gradient of frozen " + name).isNull();
                } else {
                    assertThat(input.grad()).as("gradient of " + name).isNotNull();
                    compare(name, backend.toArray(input.grad()), reference);
                }
            });
        }
    }

    private static double loss(Reference reference, Map<String, double[]> inputs) {
        double[] out = reference.run(inputs);
        double sum = 0;
        for (double v : out) sum += v * v;
        return sum / out.length;
    }

    private void compare(String name, float[] ours, Reference reference) {
        double[] differences = new double[ours.length];
        double largest = 0;
        for (int i = 0; i < ours.length; i++) {
            Map<String, double[]> moved = exact();
            moved.get(name)[i] += STEP;
            double up = loss(reference, moved);
            moved.get(name)[i] -= 2 * STEP;
            differences[i] = (up - loss(reference, moved)) / (2 * STEP);
            largest = Math.max(largest, Math.abs(differences[i]));
        }
        assertThat(largest).as("the loss depends on " + name).isGreaterThan(1e-6);
        for (int i = 0; i < ours.length; i++) {
            assertThat((double) ours[i]).as("gradient of %s[%d]", name, i)
                    .isCloseTo(differences[i], within(TOLERANCE * largest + 1e-8));
        }
    }
}
