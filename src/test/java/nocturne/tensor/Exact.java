package nocturne.tensor;

import java.util.Arrays;

/// The operations once more, plainly and in double: what the differentiable ones are compared with.
///
/// Matrices are row-major arrays; their number of columns is told where it cannot be derived.
final class Exact {
    private static final double EPS = 1e-6f;

    private Exact() {}

    /// `x W^T` with W `[out, in]`.
    static double[] product(double[] x, double[] w, int in) {
        int rows = x.length / in;
        int out = w.length / in;
        double[] y = new double[rows * out];
        for (int r = 0; r < rows; r++) {
            for (int o = 0; o < out; o++) {
                for (int i = 0; i < in; i++) y[r * out + o] += x[r * in + i] * w[o * in + i];
            }
        }
        return y;
    }

    static double[] plusScaled(double[] a, double factor, double[] b) {
        double[] sum = new double[a.length];
        // Shorter ones repeat: a bias row, for one.
        for (int i = 0; i < a.length; i++) sum[i] = a[i] + factor * b[i % b.length];
        return sum;
    }

    private static double gate(double[] modulation, int part, RowMap map, int columns, int i) {
        int parts = modulation.length / columns / (map.split() < map.rows() ? map.tailRow() + 1 : map.batch());
        int row = i / columns;
        int modulationRow = map.modulationRow(row / map.rows(), row % map.rows());
        return modulation[(modulationRow * parts + part) * columns + i % columns];
    }

    static double[] gatedResidual(double[] x, double[] y, double[] modulation, int part, RowMap map) {
        int columns = x.length / (map.batch() * map.rows());
        double[] out = new double[x.length];
        for (int i = 0; i < x.length; i++) out[i] = x[i] + gate(modulation, part, map, columns, i) * y[i];
        return out;
    }

    static double[] layerNormModulate(double[] x, double[] modulation, int shift, int scale, RowMap map) {
        int columns = x.length / (map.batch() * map.rows());
        double[] y = new double[x.length];
        for (int from = 0; from < x.length; from += columns) {
            double[] row = Arrays.copyOfRange(x, from, from + columns);
            double mean = Arrays.stream(row).average().orElseThrow();
            double variance = Arrays.stream(row).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
            for (int i = from; i < from + columns; i++) {
                y[i] = (x[i] - mean) / Math.sqrt(variance + EPS) * (1 + gate(modulation, scale, map, columns, i))
                        + gate(modulation, shift, map, columns, i);
            }
        }
        return y;
    }

    static double[] gelu(double[] x) {
        return Arrays.stream(x)
                .map(v -> 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v * v * v)))).toArray();
    }

    static double[] rmsNorm(double[] x, double[] weight) {
        int columns = weight.length;
        double[] y = new double[x.length];
        for (int from = 0; from < x.length; from += columns) {
            double squares = Arrays.stream(x, from, from + columns).map(v -> v * v).average().orElseThrow();
            for (int c = 0; c < columns; c++) y[from + c] = x[from + c] / Math.sqrt(squares + EPS) * weight[c];
        }
        return y;
    }

    /// @param angles `[positions, headDim / 2]`
    static double[] rotated(double[] x, double[] angles, int batch, int offset, int columns, int headDim) {
        int rows = x.length / columns / batch;
        double[] y = new double[x.length];
        for (int i = 0; i < x.length; i += 2) {
            int position = offset + i / columns % rows;
            double angle = angles[position * headDim / 2 + i % headDim / 2];
            y[i] = x[i] * Math.cos(angle) - x[i + 1] * Math.sin(angle);
            y[i + 1] = x[i] * Math.sin(angle) + x[i + 1] * Math.cos(angle);
        }
        return y;
    }

    static double[] join(double[] first, double[] second, int batch) {
        int a = first.length / batch;
        int b = second.length / batch;
        double[] joint = new double[first.length + second.length];
        for (int s = 0; s < batch; s++) {
            System.arraycopy(first, s * a, joint, s * (a + b), a);
            System.arraycopy(second, s * b, joint, s * (a + b) + a, b);
        }
        return joint;
    }

    static double[] take(double[] joint, int batch, int offset, int rows, int columns) {
        int size = rows * columns;
        double[] part = new double[batch * size];
        for (int s = 0; s < batch; s++) {
            System.arraycopy(joint, joint.length / batch * s + offset * columns, part, s * size, size);
        }
        return part;
    }

    /// @param visible whether a key counts
    static double[] attention(double[] q, double[] k, double[] v, boolean[] visible, Attention.Layout layout) {
        int headDim = q.length / layout.rows() / layout.heads();
        int qWidth = layout.heads() * headDim;
        int kWidth = layout.kvHeads() * headDim;
        double[] o = new double[q.length];
        for (int s = 0; s < layout.sequences(); s++) {
            for (int r = layout.bounds()[s]; r < layout.bounds()[s + 1]; r++) {
                for (int h = 0; h < layout.heads(); h++) {
                    int own = r * qWidth + h * headDim;
                    int shared = h * layout.kvHeads() / layout.heads() * headDim;
                    double sum = 0;
                    for (int j = layout.bounds()[s]; j < layout.bounds()[s + 1]; j++) {
                        if (!visible[j]) continue;
                        double score = 0;
                        for (int c = 0; c < headDim; c++) score += q[own + c] * k[j * kWidth + shared + c];
                        double weight = Math.exp(score / Math.sqrt(headDim));
                        sum += weight;
                        for (int c = 0; c < headDim; c++) o[own + c] += weight * v[j * kWidth + shared + c];
                    }
                    for (int c = 0; c < headDim; c++) o[own + c] /= sum;
                }
            }
        }
        return o;
    }
}
