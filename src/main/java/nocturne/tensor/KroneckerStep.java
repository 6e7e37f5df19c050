package nocturne.tensor;

import java.util.Objects;
import nocturne.tensor.Linear.Kronecker;
import org.jspecify.annotations.Nullable;

/// A Kronecker product beside a linear layer, applied to one tensor without ever being multiplied out.
///
/// With `x` read as `[rows, M, N]` and `y` as `[rows, L, K]`: `u[row, j] = x[row, j] second^T`, then
/// `y[row, i] += scale * sum_j first[i, j] u[row, j]`. So that the sum is one product, `u` is turned to `[M, rows K]`.
/// What it takes beside the two products is a copy of `u` and one of `y`.
final class KroneckerStep {
    private final Kronecker factors;
    private final int rows;
    private final Products products;
    private final Elementwise elementwise;
    private @Nullable Scratch scratch;

    /// @param between `u`, `[rows M, K]`
    /// @param inputs  `u` turned, `[M, rows K]`
    /// @param outputs what is added to `y`, turned, `[L, rows K]`
    /// @param one     a row of that, `[rows, K]`
    private record Scratch(Tensor between, Tensor inputs, Tensor outputs, Tensor one) {}

    /// @param rows of the tensor it is applied to
    KroneckerStep(Kronecker factors, int rows, Backend backend) {
        this.factors = factors;
        this.rows = rows;
        products = backend.products();
        elementwise = backend.elementwise();
    }

    /// To be called in a scope that closes after [#forward] or [#backward].
    void takeScratch(TensorArena arena) {
        int width = factors.second().rows();
        int row = Math.multiplyExact(rows, width);
        scratch = new Scratch(arena.allocate(rows * factors.first().columns(), width),
                arena.allocate(factors.first().columns(), row), arena.allocate(factors.first().rows(), row),
                arena.allocate(rows, width));
    }

    /// `y += scale * x kron(first, second)^T`
    void forward(Tensor x, Tensor y) {
        Scratch room = Objects.requireNonNull(scratch);
        products.linear(parts(x, factors.first().columns()), factors.second(), null, room.between);
        for (int j = 0; j < factors.first().columns(); j++) {
            elementwise.takeRows(room.between, rows, j, part(room.inputs, j));
        }
        products.product(factors.first(), false, room.inputs, false, factors.scale(), 0, room.outputs);
        Tensor sums = parts(y, factors.first().rows());
        for (int i = 0; i < factors.first().rows(); i++) {
            elementwise.takeRows(sums, rows, i, room.one);
            elementwise.addScaled(part(room.outputs, i), 1, room.one);
            elementwise.placeRows(room.one, rows, i, sums);
        }
    }

    /// `dx += scale * dy kron(first, second)`
    void backward(Tensor dy, Tensor dx) {
        Scratch room = Objects.requireNonNull(scratch);
        Tensor gradient = parts(dy, factors.first().rows());
        for (int i = 0; i < factors.first().rows(); i++) {
            elementwise.takeRows(gradient, rows, i, part(room.outputs, i));
        }
        products.product(factors.first(), true, room.outputs, false, factors.scale(), 0, room.inputs);
        for (int j = 0; j < factors.first().columns(); j++) {
            elementwise.placeRows(part(room.inputs, j), rows, j, room.between);
        }
        products.product(room.between, false, factors.second(), false, 1, 1, parts(dx, factors.first().columns()));
    }

    /// A row of numbers as several.
    private Tensor parts(Tensor tensor, int count) {
        return tensor.reshape(rows * count, tensor.columns() / count);
    }

    private Tensor part(Tensor turned, int number) {
        return turned.rowRange(number, 1).reshape(rows, factors.second().rows());
    }
}
