package nocturne.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import nocturne.tensor.Attention.Layout;
import nocturne.tensor.RowMap;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// Elementwise operations, norms, attention and updates give the same bits for any number of threads, on sizes that are
/// cut into many pieces. Products promise it for one number of threads alone.
class ThreadCountTest {
    private static final int BATCH = 2;
    private static final int ROWS = 500;
    private static final int HEADS = 3;
    private static final int HEAD_DIM = 16;
    private static final int WIDTH = HEADS * HEAD_DIM;
    private static final RowMap MAP = new RowMap(BATCH, ROWS, 333, BATCH);

    /// Operands of every operation, the same numbers for every backend.
    private record Operands(CpuBackend backend, TensorArena arena) {
        Tensor random(int seed, int... dims) {
            Tensor tensor = arena.allocate(dims);
            backend.write(Fill.RANDOM.numbers((int) tensor.elements(), seed), tensor);
            return tensor;
        }

        Tensor tokens(int seed) {
            return random(seed, BATCH * ROWS, WIDTH);
        }

        Tensor modulation(int seed) {
            return random(seed, BATCH + 1, 6 * WIDTH);
        }
    }

    private static Map<String, BiFunction<CpuBackend, Operands, Tensor[]>> operations() {
        Map<String, BiFunction<CpuBackend, Operands, Tensor[]>> all = new LinkedHashMap<>();
        all.put("addScaled", (b, o) -> {
            Tensor y = o.tokens(1);
            b.elementwise().addScaled(o.tokens(2), 0.3f, y);
            return new Tensor[] {y};
        });
        all.put("gatedResidual", (b, o) -> {
            Tensor out = o.tokens(1);
            b.elementwise().gatedResidual(o.tokens(2), o.tokens(3), o.modulation(4), 2, MAP, out);
            return new Tensor[] {out};
        });
        all.put("gatedResidualBackward", (b, o) -> {
            Tensor dy = o.tokens(1);
            Tensor dm = o.modulation(2);
            b.elementwise().gatedResidualBackward(o.tokens(3), o.tokens(4), o.modulation(5), 2, MAP, dy, dm);
            return new Tensor[] {dy, dm};
        });
        all.put("geluTanh", (b, o) -> {
            Tensor y = o.tokens(1);
            b.elementwise().geluTanh(o.tokens(2), y);
            return new Tensor[] {y};
        });
        all.put("geluTanhBackward", (b, o) -> {
            Tensor dx = o.tokens(1);
            b.elementwise().geluTanhBackward(o.tokens(2), o.tokens(3), dx);
            return new Tensor[] {dx};
        });
        all.put("silu, geluErf, swiGlu", (b, o) -> {
            Tensor[] y = {o.tokens(1), o.tokens(2), o.tokens(3)};
            b.elementwise().silu(o.tokens(4), y[0]);
            b.elementwise().geluErf(o.tokens(4), y[1]);
            b.elementwise().swiGlu(o.tokens(4), o.tokens(5), y[2]);
            return y;
        });
        all.put("rotateHalves", (b, o) -> {
            Tensor y = o.tokens(1);
            b.elementwise().rotateHalves(o.tokens(2), o.random(3, BATCH * ROWS, HEAD_DIM / 2),
                    o.random(4, BATCH * ROWS, HEAD_DIM / 2), y);
            return new Tensor[] {y};
        });
        all.put("layerNormModulate", (b, o) -> {
            Tensor y = o.tokens(1);
            Tensor statistics = o.random(2, BATCH * ROWS, 2);
            b.norms().layerNormModulate(o.tokens(3), o.modulation(4), 0, 1, MAP, 1e-6f, y, statistics);
            return new Tensor[] {y, statistics};
        });
        all.put("layerNormModulateBackward", (b, o) -> {
            Tensor dx = o.tokens(1);
            Tensor dm = o.modulation(2);
            b.norms().layerNormModulateBackward(o.tokens(3), o.tokens(4), o.modulation(5), 3, 4, MAP,
                    o.random(6, BATCH * ROWS, 2), dx, true, dm);
            return new Tensor[] {dx, dm};
        });
        all.put("rmsNorm and its gradient", (b, o) -> {
            Tensor y = o.tokens(1);
            Tensor dx = o.tokens(2);
            b.norms().rmsNorm(o.tokens(3), o.random(4, WIDTH), 1e-6f, y);
            b.norms().rmsNormBackward(o.tokens(5), o.tokens(3), o.random(4, WIDTH), 1e-6f, dx, true);
            return new Tensor[] {y, dx};
        });
        all.put("headNormRotate and its gradient", (b, o) -> {
            Tensor out = o.random(1, BATCH * (ROWS + 30), WIDTH);
            Tensor dx = o.tokens(2);
            Tensor cos = o.random(3, ROWS + 30, HEAD_DIM);
            Tensor sin = o.random(4, ROWS + 30, HEAD_DIM);
            b.norms().headNormRotate(o.tokens(5), o.random(6, HEAD_DIM), cos, sin, BATCH, 20, 1e-6f, out);
            b.norms().headNormRotateBackward(out, o.tokens(5), o.random(6, HEAD_DIM), cos, sin, BATCH, 20, 1e-6f, dx);
            return new Tensor[] {out, dx};
        });
        all.put("attention and its gradient", (b, o) -> {
            Layout layout = Layout.uniform(BATCH, ROWS, HEADS);
            Tensor out = o.tokens(1);
            Tensor lse = o.random(2, HEADS, BATCH * ROWS);
            Tensor[] d = {o.tokens(3), o.tokens(4), o.tokens(5)};
            b.attention().forward(o.tokens(6), o.tokens(7), o.tokens(8), null, layout, out, lse);
            b.attention().backward(o.tokens(9), o.tokens(6), o.tokens(7), o.tokens(8), null, layout, out, lse, d[0],
                    d[1], d[2]);
            return new Tensor[] {out, lse, d[0], d[1], d[2]};
        });
        return all;
    }

    @TestFactory
    Stream<DynamicTest> oneTwoAndThreeThreadsGiveTheSameBits() {
        return operations().entrySet().stream().map(operation -> DynamicTest.dynamicTest(operation.getKey(), () -> {
            float[][] one = run(operation.getValue(), 1);
            for (int threads = 2; threads <= 3; threads++) {
                float[][] more = run(operation.getValue(), threads);
                for (int i = 0; i < one.length; i++) {
                    assertThat(more[i]).as("result %d, %d threads", i, threads).isEqualTo(one[i]);
                }
            }
        }));
    }

    private static float[][] run(BiFunction<CpuBackend, Operands, Tensor[]> operation, int threads) {
        try (CpuBackend backend = new CpuBackend(threads); TensorArena arena = backend.newArena()) {
            Tensor[] results = operation.apply(backend, new Operands(backend, arena));
            float[][] numbers = new float[results.length][];
            for (int i = 0; i < results.length; i++) numbers[i] = backend.toArray(results[i]);
            return numbers;
        }
    }

    @Test
    void sumsAndUpdatesGiveTheSameBitsToo() {
        double[] norms = new double[4];
        for (int threads = 1; threads <= 3; threads++) {
            try (CpuBackend backend = new CpuBackend(threads); TensorArena arena = backend.newArena()) {
                norms[threads] = backend.optimisation().sumOfSquares(new Operands(backend, arena).tokens(1));
            }
        }
        assertThat(norms[2]).isEqualTo(norms[1]);
        assertThat(norms[3]).isEqualTo(norms[1]);
    }

    /// Products too, for each number of threads by itself, whichever thread takes which piece.
    @Test
    void productsGiveTheSameBitsAgainWithTheSameThreads() {
        for (int threads = 1; threads <= 3; threads++) {
            float[] first = product(threads);
            for (int again = 0; again < 5; again++) assertThat(product(threads)).isEqualTo(first);
        }
    }

    private static float[] product(int threads) {
        try (CpuBackend backend = new CpuBackend(threads); TensorArena arena = backend.newArena()) {
            Operands operands = new Operands(backend, arena);
            Tensor y = arena.allocate(BATCH * ROWS, 6 * WIDTH);
            backend.products().linear(operands.tokens(1), operands.random(2, 6 * WIDTH, WIDTH), null, y);
            return backend.toArray(y);
        }
    }
}
