package nocturne.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import nocturne.tensor.Products;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Matrix products against the definition in double; tolerances by [Bounded].
class ProductsTest {
    private static CpuBackend backend;
    private static TensorArena arena;

    @BeforeAll
    static void start() {
        backend = new CpuBackend(2);
        arena = backend.newArena();
    }

    @AfterAll
    static void stop() {
        arena.close();
        backend.close();
    }

    /// Single rows, single columns, ragged ends, and two sizes that are cut for the threads: by rows and by columns.
    static Stream<Arguments> sizes() {
        int[][] sizes = {{1, 1, 1}, {1, 33, 17}, {2, 3, 5}, {17, 1, 9}, {7, 16, 1}, {33, 15, 31}, {130, 70, 65},
                {40, 300, 70}};
        return Stream.of(sizes)
                .flatMap(s -> Stream.of(Fill.values()).map(fill -> Arguments.of(s[0], s[1], s[2], fill)));
    }

    @ParameterizedTest(name = "[{0}, {1}], {2} terms, {3}")
    @MethodSource("sizes")
    void everyTranspositionIsTheSumOfProducts(int m, int n, int k, Fill fill) {
        for (boolean transposeA : new boolean[] {false, true}) {
            for (boolean transposeB : new boolean[] {false, true}) {
                check(m, n, k, fill, transposeA, transposeB, 1, 0);
            }
        }
    }

    @ParameterizedTest(name = "[{0}, {1}], {2} terms, {3}")
    @MethodSource("sizes")
    void theResultIsScaledAndAddedToAScaledOldOne(int m, int n, int k, Fill fill) {
        check(m, n, k, fill, false, true, -0.375f, 1);
        check(m, n, k, fill, false, false, 1, 1);
        check(m, n, k, fill, true, false, 2.5f, 0.5f);
    }

    /// With `beta == 0` the old content is NaN and must not show.
    private static void check(int m, int n, int k, Fill fill, boolean transposeA, boolean transposeB, float alpha,
            float beta) {
        float[] a = fill.numbers(m * k, 1);
        float[] b = fill.numbers(n * k, 2);
        float[] before = beta == 0 ? Fill.nan(m * n) : fill.numbers(m * n, 3);
        try (TensorArena.Scope scope = arena.scope()) {
            Tensor c = backend.tensor(arena, before, m, n);
            backend.products().product(
                    transposeA ? backend.tensor(arena, a, k, m) : backend.tensor(arena, a, m, k), transposeA,
                    transposeB ? backend.tensor(arena, b, n, k) : backend.tensor(arena, b, k, n), transposeB,
                    alpha, beta, c);
            Bounded[] expected = new Bounded[m * n];
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < n; j++) {
                    Bounded product = entry(a, transposeA, b, transposeB, m, n, k, i, j).times(alpha);
                    expected[i * n + j] =
                            beta == 0 ? product : product.plus(Bounded.of(before[i * n + j]).times(beta));
                }
            }
            Bounded.assertAllWithin("c", backend.toArray(c), expected);
        }
    }

    private static Bounded entry(float[] a, boolean transposeA, float[] b, boolean transposeB, int m, int n, int k,
            int i, int j) {
        Bounded[] row = new Bounded[k];
        Bounded[] column = new Bounded[k];
        for (int t = 0; t < k; t++) {
            row[t] = Bounded.of(transposeA ? a[t * m + i] : a[i * k + t]);
            column[t] = Bounded.of(transposeB ? b[j * k + t] : b[t * n + j]);
        }
        return Bounded.dot(row, column);
    }

    @ParameterizedTest(name = "[{0}, {1}], {2} inputs, {3}")
    @MethodSource("sizes")
    void linearIsTheProductWithTheTransposedWeightAndTheBias(int m, int n, int k, Fill fill) {
        float[] x = fill.numbers(m * k, 4);
        float[] w = fill.numbers(n * k, 5);
        float[] bias = fill.numbers(n, 6);
        for (boolean withBias : new boolean[] {false, true}) {
            try (TensorArena.Scope scope = arena.scope()) {
                Tensor y = backend.tensor(arena, Fill.nan(m * n), m, n);
                backend.products().linear(backend.tensor(arena, x, m, k), backend.tensor(arena, w, n, k),
                        withBias ? backend.tensor(arena, bias, n) : null, y);
                Bounded[] expected = new Bounded[m * n];
                for (int i = 0; i < m; i++) {
                    for (int j = 0; j < n; j++) {
                        Bounded product = entry(x, false, w, true, m, n, k, i, j);
                        expected[i * n + j] = withBias ? product.plus(bias[j]) : product;
                    }
                }
                Bounded.assertAllWithin("y", backend.toArray(y), expected);
            }
        }
    }

    /// Leading axes are rows: `[2, 3, 4]` is a matrix of 6 rows.
    @Test
    void leadingAxesAreRows() {
        try (TensorArena.Scope scope = arena.scope()) {
            Tensor x = backend.tensor(arena, Fill.RANDOM.numbers(24, 1), 2, 3, 4);
            Tensor w = backend.tensor(arena, Fill.RANDOM.numbers(20, 2), 5, 4);
            Tensor deep = arena.allocate(2, 3, 5);
            Tensor flat = arena.allocate(6, 5);
            backend.products().linear(x, w, null, deep);
            backend.products().linear(x.reshape(6, 4), w, null, flat);
            assertThat(backend.toArray(deep)).isEqualTo(backend.toArray(flat));
        }
    }

    @Test
    void aViewOfRowsIsReadAndWrittenInPlace() {
        try (TensorArena.Scope scope = arena.scope()) {
            Tensor all = backend.tensor(arena, Fill.RANDOM.numbers(10 * 4, 1), 10, 4);
            Tensor w = backend.tensor(arena, Fill.RANDOM.numbers(3 * 4, 2), 3, 4);
            Tensor whole = arena.allocate(10, 3);
            backend.products().linear(all, w, null, whole);
            Tensor target = backend.tensor(arena, new float[30], 10, 3);
            backend.products().linear(all.rowRange(2, 5), w, null, target.rowRange(4, 5));
            float[] expected = new float[30];
            System.arraycopy(backend.toArray(whole), 6, expected, 12, 15);
            assertThat(backend.toArray(target)).isEqualTo(expected);
        }
    }

    @Test
    void shapesThatDoNotFitAreRefused() {
        Products products = backend.products();
        try (TensorArena.Scope scope = arena.scope()) {
            Tensor a = arena.allocate(2, 3);
            Tensor b = arena.allocate(3, 4);
            List<Runnable> wrong = new ArrayList<>();
            wrong.add(() -> products.product(a, true, b, false, 1, 0, arena.allocate(2, 4)));
            wrong.add(() -> products.product(a, false, b, true, 1, 0, arena.allocate(2, 4)));
            wrong.add(() -> products.product(a, false, b, false, 1, 0, arena.allocate(4, 2)));
            wrong.add(() -> products.product(a, false, b, false, 1, 0, arena.allocate(2, 5)));
            for (Runnable call : wrong) {
                assertThatThrownBy(call::run).isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("[2, 3]");
            }
        }
    }
}
