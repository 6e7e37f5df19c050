package nocturne.tensor;

import org.jspecify.annotations.Nullable;

/// The matrix of a layer that always gets the same few inputs, so that its results are known beforehand and the matrix
/// itself need not be there: the layer's result, bias included, is the rows that were put here. Adapters beside it are
/// computed as ever.
public final class TabulatedWeight implements Weight {
    private final Shape shape;
    private final long parameters;
    private @Nullable Tensor results;

    /// @param layer whose results they are
    public TabulatedWeight(Linear layer) {
        shape = layer.weight().shape();
        parameters = layer.parameters();
    }

    @Override
    public Shape shape() {
        return shape;
    }

    /// The layer's frozen numbers, bias included.
    @Override
    public long elements() {
        return parameters;
    }

    /// Says what the layer answers from now on.
    ///
    /// @param rows `[inputs, out]`, one for each input row
    public void answer(Tensor rows) {
        if (rows.columns() != rows()) throw new IllegalArgumentException("results " + rows + " of a layer " + shape);
        results = rows;
    }

    /// @param inputs that the layer is asked about
    Tensor results(Tensor inputs) {
        Tensor rows = results;
        if (rows == null || rows.rows() != inputs.rows()) {
            throw new IllegalStateException("a layer %s with the results %s is asked about %s".formatted(
                    shape, rows, inputs));
        }
        return rows;
    }
}
