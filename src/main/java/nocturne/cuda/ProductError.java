package nocturne.cuda;

import java.util.function.BiConsumer;
import nocturne.io.DType;
import nocturne.tensor.Shape;
import nocturne.tensor.Tensor;

/// How far apart two ways to compute the same product are.
///
/// Some rows at a time, so that trying a layer takes little memory beside a model that fills a card.
final class ProductError implements AutoCloseable {
    private static final int ROWS = 512;

    private final CudaElementwise elementwise;
    private final CudaOptimisation optimisation;
    private final Scratch expected;
    private final Scratch other;

    ProductError(Device device, CudaElementwise elementwise, CudaOptimisation optimisation) {
        this.elementwise = elementwise;
        this.optimisation = optimisation;
        expected = new Scratch(device);
        other = new Scratch(device);
    }

    /// `|other - expected| / |expected|` in L2; 0 where both are 0.
    ///
    /// @param x        what is multiplied, `[rows, ..]`
    /// @param columns  of the result
    /// @param expected writes the product of some rows of `x` into a float32 tensor
    /// @param other    the same in another way
    double of(Tensor x, int columns, BiConsumer<Tensor, Tensor> expected, BiConsumer<Tensor, Tensor> other) {
        double differences = 0;
        double all = 0;
        for (int from = 0; from < x.rows(); from += ROWS) {
            Tensor part = x.rowRange(from, Math.min(ROWS, x.rows() - from));
            Tensor right = room(this.expected, part.rows(), columns);
            Tensor tried = room(this.other, part.rows(), columns);
            expected.accept(part, right);
            other.accept(part, tried);
            elementwise.addScaled(right, -1, tried);
            differences += optimisation.sumOfSquares(tried);
            all += optimisation.sumOfSquares(right);
        }
        return differences == 0 ? 0 : Math.sqrt(differences / all);
    }

    private static Tensor room(Scratch scratch, int rows, int columns) {
        return new Tensor(Shape.of(rows, columns), DType.F32, scratch.floats((long) rows * columns));
    }

    /// Gives the memory back; it is taken again where it is needed.
    @Override
    public void close() {
        expected.close();
        other.close();
    }
}
