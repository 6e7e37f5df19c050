package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.Stream;
import nocturne.io.DType;
import nocturne.tensor.Products;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// The kernels of `kernels/products.cu` against the CPU backend, see [Twins].
///
/// Numbers are standard normal, so a sum of `depth` products has terms of up to some 8 and a magnitude of about the
/// root of `depth`.
class ProductsTwinTest {
    private static final boolean[] BOTH = {false, true};

    /// Roundings of a sum of products, on both sides, terms of up to 8 each; the bound of [Twins] is for results of 1.
    private static double units(int depth) {
        return 8.0 * (depth + 4);
    }

    /// What a sum of products may be off where one factor of each is rounded to bf16: at most half a unit each, 2^-9 of
    /// a product of magnitude about 1, and a little for larger ones.
    private static double unitsOfRoundedFactor(int depth) {
        return depth * 0x1p-9 / 0x1p-24;
    }

    /// One number; a ragged matrix for each kind of tile, in each position; rows that 16-byte accesses can use; several
    /// tiles; more depth than a pipeline is long; a matrix of one row.
    static Stream<Arguments> sizes() {
        int[][] sizes = {{1, 1, 1}, {7, 33, 16}, {33, 7, 129}, {16, 16, 64}, {40, 40, 32}, {33, 129, 7}, {130, 72, 136},
            {1, 150, 33}, {129, 1, 48}};
        return Stream.of(sizes)
                .flatMap(s -> Stream.of(DType.F32, DType.BF16).map(t -> Arguments.of(t, s[0], s[1], s[2])));
    }

    @ParameterizedTest(name = "{0} [{1}, {3}] by [{3}, {2}]")
    @MethodSource("sizes")
    void factorsAreTransposedWhereAsked(DType type, int rows, int columns, int depth) {
        Twins.compare(type, units(depth), side -> {
            for (boolean transposeA : BOTH) {
                for (boolean transposeB : BOTH) {
                    String form = (transposeA ? "t" : "n") + (transposeB ? "t" : "n");
                    Tensor a = given(side, "a " + form, transposeA, rows, depth);
                    Tensor b = given(side, "b " + form, transposeB, depth, columns);
                    Tensor added = side.changed("added " + form, rows, columns);
                    Products products = side.backend().products();
                    products.product(a, transposeA, b, transposeB, 1, 0, side.result(form, rows, columns));
                    products.product(a, transposeA, b, transposeB, -0.5f, 1.25f, added);
                }
            }
        });
    }

    private static Tensor given(Side side, String name, boolean transposed, int rows, int columns) {
        return transposed ? side.given(name, columns, rows) : side.given(name, rows, columns);
    }

    @ParameterizedTest(name = "{0} [{1}, {3}] by [{3}, {2}]")
    @MethodSource("sizes")
    void aLinearLayerAddsItsBias(DType type, int rows, int columns, int depth) {
        Twins.compare(type, units(depth), side -> {
            Tensor x = side.given("x", rows, depth);
            Tensor w = side.given("w", columns, depth);
            side.backend().products().linear(x, w, side.given("bias", columns), side.result("y", rows, columns));
            side.backend().products().linear(x, w, null, side.result("without bias", rows, columns));
        });
    }

    @ParameterizedTest(name = "{0} [{1}, {3}] by [{3}, {2}]")
    @MethodSource("sizes")
    void aLinearLayersGradientIsWrittenOrAdded(DType type, int rows, int columns, int depth) {
        Twins.compare(type, units(depth), side -> {
            Tensor dy = side.given("dy", rows, depth);
            Tensor w = side.given("w", depth, columns);
            side.backend().products().linearBackward(dy, w, 0, side.result("dx", rows, columns));
            side.backend().products().linearBackward(dy, w, 1, side.changed("added", rows, columns));
        });
    }

    /// So many products for so few results that several blocks share a tile.
    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F32", "BF16"})
    void longSumsAreCutIntoPieces(DType type) {
        int depth = 3 * 256 + 41;
        Twins.compare(type, units(depth), side -> {
            Products products = side.backend().products();
            Tensor x = side.given("x", 40, depth);
            Tensor w = side.given("w", 36, depth);
            products.linear(x, w, side.given("bias", 36), side.result("y", 40, 36));
            products.product(x, false, w, true, 0.5f, -1, side.changed("added", 40, 36));
            Tensor gradient = side.given("gradient", depth, 5);
            Tensor tokens = side.given("tokens", depth, 48);
            products.product(gradient, true, tokens, false, 2, 0.5f, side.changedFloats("narrow", 5, 48));
            products.product(tokens, true, gradient, false, 2, 0, side.resultFloats("narrow, transposed", 48, 5));
        });
    }

    /// More rows of tiles than are worked on together, and a last band that is not full.
    @Test
    void aResultMayHaveManyTiles() {
        int rows = 8 * 128 + 30;
        Twins.compare(DType.BF16, units(8), side -> {
            Products products = side.backend().products();
            Tensor x = side.given("x", rows, 8);
            products.linear(x, side.given("w", 130, 8), null, side.result("y", rows, 130));
            products.linear(x, side.given("narrow w", 5, 8), null, side.result("narrow y", rows, 5));
        });
    }

    /// The products of a linear layer with a low-rank adapter, whose factors and their gradients are float32.
    @ParameterizedTest(name = "{0}, rank {1}")
    @MethodSource("ranks")
    void factorsOfAnAdapterStayFloat(DType type, int rank) {
        int tokens = 70;
        int in = 48;
        int out = 56;
        Twins.compare(type, unitsOfRoundedFactor(Math.max(tokens, Math.max(in, rank))), side -> {
            Products products = side.backend().products();
            Tensor x = side.given("x", tokens, in);
            Tensor dy = side.given("dy", tokens, out);
            Tensor reduced = side.given("reduced", tokens, rank);
            Tensor down = side.givenFloats("down", rank, in);
            Tensor up = side.givenFloats("up", out, rank);
            products.linear(x, down, null, side.result("u", tokens, rank));
            products.product(reduced, false, up, true, 0.5f, 1, side.changed("y", tokens, out));
            products.product(dy, false, up, false, 0.5f, 0, side.result("du", tokens, rank));
            products.product(reduced, false, down, false, 1, 1, side.changed("dx", tokens, in));
            products.product(dy, true, reduced, false, 0.5f, 0, side.resultFloats("dup", out, rank));
            products.product(reduced, true, x, false, 1, 1, side.changedFloats("ddown", rank, in));
            products.product(down, false, x, true, 1, 0, side.result("wide factor in front", rank, tokens));
        });
    }

    static Stream<Arguments> ranks() {
        return Stream.of(1, 5, 16, 40)
                .flatMap(rank -> Stream.of(DType.F32, DType.BF16).map(type -> Arguments.of(type, rank)));
    }

    /// Rows of 24 numbers in a slice that begins in the middle of a 16-byte access.
    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F32", "BF16"})
    void slicesMayBeginAnywhere(DType type) {
        int rows = 34;
        int depth = 24;
        int columns = 40;
        Twins.compare(type, units(depth), side -> {
            Tensor x = side.given("x", 2000).slice(3, rows, depth);
            Tensor w = side.given("w", 2000).slice(5, columns, depth);
            Tensor bias = side.given("bias", 100).slice(1, columns);
            Tensor y = side.changed("y", 2000).slice(7, rows, columns);
            side.backend().products().linear(x, w, bias, y);
            Tensor added = side.changed("added", 2000).slice(6, rows, columns);
            side.backend().products().product(x, false, w, true, 1, 1, added);
            Tensor dy = side.given("dy", 2000).slice(1, rows, columns);
            side.backend().products().product(dy, true, x, false, 1, 0, side.result("dw", columns, depth));
        });
    }

    @Test
    void shapesThatDoNotFitAreRefused() {
        try (CudaBackend backend = new CudaBackend(new SimulatedDevice(), DType.BF16);
                TensorArena arena = backend.newArena()) {
            Tensor x = arena.allocate(3, 4);
            Tensor w = arena.allocate(5, 4);
            Products products = backend.products();
            assertThatThrownBy(() -> products.linear(x, w, null, arena.allocate(3, 4)))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> products.linear(x, w, arena.allocate(4), arena.allocate(3, 5)))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> products.product(x, false, w, false, 1, 0, arena.allocate(3, 4)))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> products.linear(x, w, null, arena.allocate(DType.I8, 3, 5)))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("I8");
        }
    }
}
