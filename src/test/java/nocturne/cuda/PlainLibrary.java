package nocturne.cuda;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import nocturne.cuda.SimulatedDevice.Order;
import nocturne.io.DType;
import nocturne.io.HalfPrecision;
import nocturne.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// A library of products for a simulated device, by the plainest loops: takes what [CublasLtProducts] says that it
/// takes, and counts that.
class PlainLibrary implements LibraryProducts {
    private static final int ALIGNMENT = 16;

    private int products;
    private int codeProducts;
    private int refused;

    /// A simulated device that offers a library.
    static Device device(LibraryProducts library) {
        return new SimulatedDevice(KernelLibrary.ofTheProject(), Order.ASCENDING, 1) {
            @Override
            public Optional<LibraryProducts> libraryProducts() {
                return Optional.of(library);
            }
        };
    }

    /// How many products of each kind it has done, and how many of both it has left to others.
    int products() {
        return products;
    }

    int codeProducts() {
        return codeProducts;
    }

    int refused() {
        return refused;
    }

    @Override
    public String name() {
        return "plain loops 1.0";
    }

    @Override
    public boolean product(Tensor a, boolean transposeA, Tensor b, boolean transposeB, @Nullable Tensor bias,
            float alpha, float beta, Tensor c) {
        if (a.type() != DType.BF16 || b.type() != DType.BF16 || !takes(a, b, c, bias)) return refuse();
        int depth = transposeA ? a.rows() : a.columns();
        for (int row = 0; row < c.rows(); row++) {
            for (int column = 0; column < c.columns(); column++) {
                float sum = 0;
                for (int k = 0; k < depth; k++) {
                    sum += at(a, transposeA ? k : row, transposeA ? row : k)
                            * at(b, transposeB ? column : k, transposeB ? k : column);
                }
                finish(alpha * sum, bias, beta, c, row, column);
            }
        }
        products++;
        return true;
    }

    @Override
    public boolean codeProduct(Tensor x, Tensor xScale, Tensor w, Tensor wScale, @Nullable Tensor bias, float beta,
            Tensor y, boolean fastSums) {
        if (y.type() != DType.BF16 && bias != null || y.columns() % ALIGNMENT != 0
                || !takes(x, w, y, bias)) {
            return refuse();
        }
        for (int row = 0; row < y.rows(); row++) {
            for (int column = 0; column < y.columns(); column++) {
                float sum = 0;
                for (int k = 0; k < x.columns(); k++) sum += at(x, row, k) * at(w, column, k);
                finish(at(xScale, 0, row) * at(wScale, 0, column) * sum, bias, beta, y, row, column);
            }
        }
        codeProducts++;
        return true;
    }

    private boolean refuse() {
        refused++;
        return false;
    }

    private static boolean takes(Tensor a, Tensor b, Tensor c, @Nullable Tensor bias) {
        for (Tensor matrix : new Tensor[] {a, b, c}) {
            if (matrix.type().bytes() * matrix.columns() % ALIGNMENT != 0 || isOdd(matrix)) return false;
        }
        return bias == null || bias.type() == c.type() && !isOdd(bias);
    }

    private static boolean isOdd(Tensor tensor) {
        return tensor.data().address() % ALIGNMENT != 0;
    }

    private static void finish(float product, @Nullable Tensor bias, float beta, Tensor c, int row, int column) {
        float result = product + (bias == null ? 0 : at(bias, 0, column));
        if (beta != 0) result += beta * at(c, row, column);
        long index = (long) row * c.columns() + column;
        if (c.type() == DType.BF16) {
            c.data().setAtIndex(ValueLayout.JAVA_SHORT, index, HalfPrecision.toBf16(result));
        } else {
            c.data().setAtIndex(ValueLayout.JAVA_FLOAT, index, result);
        }
    }

    private static float at(Tensor tensor, int row, int column) {
        MemorySegment data = tensor.data();
        long index = (long) row * tensor.columns() + column;
        return switch (tensor.type()) {
            case F32 -> data.getAtIndex(ValueLayout.JAVA_FLOAT, index);
            case BF16 -> HalfPrecision.fromBf16(data.getAtIndex(ValueLayout.JAVA_SHORT, index));
            case F8_E4M3 -> HalfPrecision.fromE4m3(data.get(ValueLayout.JAVA_BYTE, index));
            default -> throw new IllegalArgumentException("a product of " + tensor);
        };
    }
}
