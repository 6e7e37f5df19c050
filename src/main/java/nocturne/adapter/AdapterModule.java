package nocturne.adapter;

import java.util.Arrays;

/// What an adapter adds to the weight of one linear layer. The layer then computes `x (W + delta)^T + bias`.
///
/// Arrays are row-major, are not copied, and belong to whoever made the record.
public sealed interface AdapterModule {
    /// The layer's path in the model, such as `transformer_blocks.0.attn.to_q`.
    String module();

    int in();

    int out();

    /// What is added to the layer's weight, `[out, in]`.
    float[] delta();

    /// `delta = scale * up down`, from "LoRA", arXiv:2106.09685.
    ///
    /// @param down  `[rank, in]`, what files call A
    /// @param up    `[out, rank]`, what files call B
    /// @param scale alpha / rank
    record LowRank(String module, int rank, int in, int out, float[] down, float[] up, float scale)
            implements AdapterModule {
        public LowRank {
            requireSize(module, "down", down, rank, in);
            requireSize(module, "up", up, out, rank);
        }

        @Override
        public float[] delta() {
            return product(up, out, rank, down, in, scale);
        }
    }

    /// `delta = scale * kron(first, second)`: entry `(i * k + r, j * n + c)` is `first[i, j] * second[r, c]` for a
    /// second factor of size `[k, n]`. From LoKr in "Navigating Text-To-Image Customization", arXiv:2309.14859.
    ///
    /// @param first  `[outL, inM]`
    /// @param second `[outK, inN]`; `outL * outK` is the layer's out, `inM * inN` its in
    /// @param scale  1 when both factors are whole, else alpha / rank
    record Kronecker(String module, Factor first, Factor second, float scale) implements AdapterModule {
        @Override
        public int in() {
            return Math.multiplyExact(first.columns(), second.columns());
        }

        @Override
        public int out() {
            return Math.multiplyExact(first.rows(), second.rows());
        }

        @Override
        public float[] delta() {
            float[] a = first.values();
            float[] b = second.values();
            float[] delta = new float[Math.multiplyExact(in(), out())];
            int at = 0;
            for (int i = 0; i < first.rows(); i++) {
                for (int r = 0; r < second.rows(); r++) {
                    for (int j = 0; j < first.columns(); j++) {
                        float left = scale * a[i * first.columns() + j];
                        for (int c = 0; c < second.columns(); c++) {
                            delta[at++] = left * b[r * second.columns() + c];
                        }
                    }
                }
            }
            return delta;
        }
    }

    /// One factor of a Kronecker product.
    sealed interface Factor {
        int rows();

        int columns();

        /// The factor itself, `[rows, columns]`.
        float[] values();
    }

    /// A factor stored as it is.
    record Whole(int rows, int columns, float[] values) implements Factor {
        public Whole {
            requireSize("factor", "values", values, rows, columns);
        }
    }

    /// A factor stored as a product of two thin matrices.
    ///
    /// @param left  `[rows, rank]`
    /// @param right `[rank, columns]`
    record Product(int rows, int rank, int columns, float[] left, float[] right) implements Factor {
        public Product {
            requireSize("factor", "left", left, rows, rank);
            requireSize("factor", "right", right, rank, columns);
        }

        @Override
        public float[] values() {
            return product(left, rows, rank, right, columns, 1);
        }
    }

    private static void requireSize(String module, String name, float[] values, int rows, int columns) {
        if (rows < 1 || columns < 1 || values.length != (long) rows * columns) {
            throw new IllegalArgumentException("%s: %s has %d values, its shape is [%d, %d]".formatted(
                    module, name, values.length, rows, columns));
        }
    }

    /// `scale * left right`, summed in double: these products are checked, not trained with.
    private static float[] product(float[] left, int rows, int inner, float[] right, int columns, float scale) {
        float[] product = new float[Math.multiplyExact(rows, columns)];
        double[] row = new double[columns];
        for (int i = 0; i < rows; i++) {
            Arrays.fill(row, 0);
            for (int k = 0; k < inner; k++) {
                double factor = left[i * inner + k];
                for (int j = 0; j < columns; j++) row[j] += factor * right[k * columns + j];
            }
            for (int j = 0; j < columns; j++) product[i * columns + j] = (float) (scale * row[j]);
        }
        return product;
    }
}
