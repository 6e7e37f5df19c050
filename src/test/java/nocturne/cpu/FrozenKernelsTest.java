package nocturne.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;

/// The operations that only frozen networks use, against the formula in double precision, at widths that leave a
/// ragged end in every vector.
class FrozenKernelsTest {
    @Property(tries = 60)
    void geluIsTheExactForm(@ForAll @IntRange(min = 1, max = 70) int columns,
            @ForAll @IntRange(min = 1, max = 5) int rows) {
        float[] x = ramp(rows * columns, 6);
        try (CpuBackend backend = new CpuBackend(1); TensorArena arena = backend.newArena()) {
            Tensor in = backend.tensor(arena, x, rows, columns);
            Tensor out = arena.allocate(rows, columns);
            backend.elementwise().geluErf(in, out);
            float[] y = backend.toArray(out);
            for (int i = 0; i < x.length; i++) {
                double exact = 0.5 * x[i] * (1 + erf(x[i] / Math.sqrt(2)));
                assertThat((double) y[i]).as("gelu(%s)", x[i]).isCloseTo(exact, within(2e-7 * Math.abs(x[i]) + 1e-9));
            }
        }
    }

    @Property(tries = 60)
    void swiGluIsTheGatedProduct(@ForAll @IntRange(min = 1, max = 70) int columns,
            @ForAll @IntRange(min = 1, max = 5) int rows) {
        float[] gate = ramp(rows * columns, 12);
        float[] up = ramp(rows * columns, -3);
        try (CpuBackend backend = new CpuBackend(1); TensorArena arena = backend.newArena()) {
            Tensor gates = backend.tensor(arena, gate, rows, columns);
            backend.elementwise().swiGlu(gates, backend.tensor(arena, up, rows, columns), gates);
            float[] y = backend.toArray(gates);
            for (int i = 0; i < y.length; i++) {
                double exact = gate[i] / (1 + Math.exp(-gate[i])) * up[i];
                assertThat((double) y[i]).isCloseTo(exact, within(1e-6 * Math.abs(exact) + 1e-9));
            }
        }
    }

    @Property(tries = 60)
    void halvesTurnAgainstEachOther(@ForAll @IntRange(min = 1, max = 40) int half,
            @ForAll @IntRange(min = 1, max = 3) int heads, @ForAll @IntRange(min = 1, max = 4) int rows,
            @ForAll boolean inPlace) {
        float[] x = ramp(rows * heads * 2 * half, 2);
        float[] cos = new float[rows * half];
        float[] sin = new float[rows * half];
        for (int i = 0; i < cos.length; i++) {
            cos[i] = (float) Math.cos(0.3 * i);
            sin[i] = (float) Math.sin(0.3 * i);
        }
        try (CpuBackend backend = new CpuBackend(1); TensorArena arena = backend.newArena()) {
            Tensor in = backend.tensor(arena, x, rows, heads * 2 * half);
            Tensor out = inPlace ? in : arena.allocate(in.shape());
            backend.elementwise().rotateHalves(in, backend.tensor(arena, cos, rows, half),
                    backend.tensor(arena, sin, rows, half), out);
            float[] y = backend.toArray(out);
            for (int i = 0; i < y.length; i++) {
                int place = i % (2 * half);
                int angle = i / (heads * 2 * half) * half + place % half;
                double exact = place < half ? (double) x[i] * cos[angle] - (double) x[i + half] * sin[angle]
                        : (double) x[i] * cos[angle] + (double) x[i - half] * sin[angle];
                assertThat((double) y[i]).isCloseTo(exact, within(1e-6));
            }
        }
    }

    /// Numbers from about `-scale` to `scale`, zero among them, in a mixed order.
    private static float[] ramp(int count, float scale) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) numbers[i] = scale * ((i * 37 % 101) - 50) / 50;
        return numbers;
    }

    /// `2 / sqrt(pi) e^(-x^2) sum_n 2^n x^(2n + 1) / (2n + 1)!!`: all terms have one sign, so no digits cancel.
    private static double erf(double x) {
        double term = x;
        double sum = x;
        for (int n = 1; n < 200; n++) {
            term *= 2 * x * x / (2 * n + 1);
            sum += term;
        }
        return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
    }
}
