package nocturne.cuda;

import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.Supplier;
import nocturne.io.DType;
import nocturne.tensor.Products;
import nocturne.tensor.Tensor;

/// Products that a library takes, and some that it must leave to others, on a device that offers it, against the CPU
/// backend: see [Twins].
final class LibraryPrograms {
    private static final boolean[] BOTH = {false, true};
    /// Rows, columns and depth, whose rows are whole numbers of 16 bytes whichever way a matrix lies.
    private static final int[][] SIZES = {{8, 8, 8}, {16, 40, 24}, {40, 16, 72}, {136, 8, 40}, {8, 264, 16}};
    /// As many products as the library is to take, and to refuse.
    static final int TAKEN = SIZES.length * (4 * 3 + 1) + 8;
    static final int REFUSED = 12;

    private LibraryPrograms() {}

    /// @param device makes the device, for one program; it is closed
    static void run(Supplier<Device> device) {
        for (int[] size : SIZES) {
            compare(device, size[2], side -> everyForm(side, size[0], size[1], size[2]));
        }
        compare(device, 24, LibraryPrograms::raggedRows);
        compare(device, 56, LibraryPrograms::valueAndGradient);
        compare(device, 33, LibraryPrograms::whatIsLeftToOthers);
    }

    private static void compare(Supplier<Device> device, int depth, Consumer<Side> program) {
        Twins.compare(device.get(), DType.BF16, 8.0 * (depth + 4), program);
    }

    private static void everyForm(Side side, int rows, int columns, int depth) {
        Products products = side.backend().products();
        for (boolean transposeA : BOTH) {
            for (boolean transposeB : BOTH) {
                String form = (transposeA ? "t" : "n") + (transposeB ? "t" : "n");
                Tensor a = transposeA ? side.given("a " + form, depth, rows) : side.given("a " + form, rows, depth);
                Tensor b = transposeB ? side.given("b " + form, columns, depth)
                        : side.given("b " + form, depth, columns);
                products.product(a, transposeA, b, transposeB, 1, 0, side.result(form, rows, columns));
                products.product(a, transposeA, b, transposeB, -0.5f, 1.25f, side.changed("added " + form, rows,
                        columns));
                products.product(a, transposeA, b, transposeB, 2, 1, side.changedFloats("floats " + form, rows,
                        columns));
            }
        }
        Tensor x = side.given("x", rows, depth);
        Tensor w = side.given("w", columns, depth);
        products.linear(x, w, side.given("bias", columns), side.result("y", rows, columns));
    }

    /// The number of tokens may be any.
    private static void raggedRows(Side side) {
        Products products = side.backend().products();
        Tensor w = side.given("w", 48, 24);
        products.linear(side.given("x", 33, 24), w, side.given("bias", 48), side.result("y", 33, 48));
        products.linear(side.given("one", 1, 24), w, null, side.result("y of one", 1, 48));
        products.linearBackward(side.given("dy", 7, 48), w, 0, side.result("dx", 7, 24));
    }

    /// Of a linear layer, twice with the same plan.
    private static void valueAndGradient(Side side) {
        Products products = side.backend().products();
        Tensor w = side.given("w", 40, 56);
        for (int time = 0; time < 2; time++) {
            Tensor dy = side.given("dy " + time, 24, 40);
            products.linear(side.given("x " + time, 24, 56), w, null, side.result("y " + time, 24, 40));
            products.linearBackward(dy, w, time, side.changed("dx " + time, 24, 56));
        }
        products.product(side.given("dy", 24, 40), true, side.given("x", 24, 56), false, 0.5f, 0,
                side.resultFloats("dw", 40, 56));
    }

    /// Rows that are no whole number of 16 bytes; what does not begin at one; factors of float32; a bias of another
    /// type.
    private static void whatIsLeftToOthers(Side side) {
        Products products = side.backend().products();
        Tensor x = side.given("x", 16, 24);
        Tensor w = side.given("w", 32, 24);
        products.linear(side.given("x of 33", 16, 33), side.given("w of 33", 32, 33), null,
                side.result("depth 33", 16, 32));
        products.linear(x, side.given("w to 33", 33, 24), null, side.result("33 columns", 16, 33));
        products.product(side.given("a", 24, 33), true, side.given("b", 24, 32), false, 1, 0,
                side.result("33 rows", 33, 32));
        products.linear(side.given("long x", 2000).slice(3, 16, 24), w, null, side.result("x begins at 6", 16, 32));
        products.linear(x, side.given("long w", 2000).slice(4, 32, 24), null, side.result("w begins at 8", 16, 32));
        products.linear(x, w, null, side.changed("long y", 2000).slice(2, 16, 32));
        products.linear(x, w, side.given("long bias", 100).slice(1, 32), side.result("bias begins at 2", 16, 32));
        products.linear(x, w, side.givenFloats("float bias", 32), side.result("bias of floats", 16, 32));
        products.linear(x, w, side.given("bias", 32), side.resultFloats("bias of bf16, result of floats", 16, 32));
        Tensor xOfFloats = side.givenFloats("float x", ofOne(16 * 24), 16, 24);
        Tensor wOfFloats = side.givenFloats("float w", ofOne(32 * 24), 32, 24);
        products.linear(xOfFloats, w, null, side.result("x of floats", 16, 32));
        products.linear(x, wOfFloats, null, side.result("w of floats", 16, 32));
        products.linear(xOfFloats, wOfFloats, null, side.result("both of floats", 16, 32));
    }

    /// Which bf16 can hold.
    private static float[] ofOne(int count) {
        float[] numbers = new float[count];
        Arrays.fill(numbers, 1);
        return numbers;
    }
}
