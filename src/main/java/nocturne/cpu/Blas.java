package nocturne.cpu;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.bytedeco.javacpp.Loader;

/// OpenBLAS's single-precision product, called without a copy and without garbage.
///
/// JavaCPP brings the library and loads it; the call itself goes through the foreign-function interface with plain
/// addresses, because a JavaCPP pointer object for each operand would cost more than a small product.
/// OpenBLAS runs each call on the calling thread; [CpuProducts] decides what runs side by side.
final class Blas {
    private static final int ROW_MAJOR = 101;
    private static final int NO_TRANSPOSE = 111;
    private static final int TRANSPOSE = 112;

    private static final MethodHandle SGEMM;
    private static final MethodHandle SGEMV;

    static {
        Loader.load(org.bytedeco.openblas.global.openblas_nolapack.class);
        org.bytedeco.openblas.global.openblas_nolapack.blas_set_num_threads(1);
        ValueLayout.OfInt i = ValueLayout.JAVA_INT;
        ValueLayout.OfFloat f = ValueLayout.JAVA_FLOAT;
        ValueLayout.OfLong address = ValueLayout.JAVA_LONG;
        SGEMM = function("cblas_sgemm", FunctionDescriptor.ofVoid(
                i, i, i, i, i, i, f, address, i, address, i, f, address, i));
        SGEMV = function("cblas_sgemv",
                FunctionDescriptor.ofVoid(i, i, i, i, f, address, i, address, i, f, address, i));
    }

    private static MethodHandle function(String name, FunctionDescriptor signature) {
        MemorySegment symbol = SymbolLookup.loaderLookup()
                .find(name)
                .orElseThrow(() -> new UnsatisfiedLinkError("OpenBLAS was loaded but has no " + name));
        return Linker.nativeLinker().downcallHandle(symbol, signature);
    }

    private Blas() {}

    /// `c = alpha * op(a) op(b) + beta * c`, row-major, on the calling thread.
    ///
    /// @param m    rows of c
    /// @param n    columns of c
    /// @param k    the summed extent
    /// @param lda  elements from one stored row of `a` to the next; likewise `ldb`, `ldc`
    static void product(boolean transposeA, boolean transposeB, int m, int n, int k, float alpha, long a, int lda,
            long b, int ldb, float beta, long c, int ldc) {
        try {
            SGEMM.invokeExact(ROW_MAJOR, transposeA ? TRANSPOSE : NO_TRANSPOSE, transposeB ? TRANSPOSE : NO_TRANSPOSE,
                    m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        } catch (Throwable impossible) {
            throw new IllegalStateException("cblas_sgemm(%d, %d, %d)".formatted(m, n, k), impossible);
        }
    }

    /// `y = alpha * op(a) x + beta * y`, row-major, on the calling thread.
    ///
    /// @param rows stored rows of `a`, each `columns` long and `lda` apart
    static void productWithVector(boolean transpose, int rows, int columns, float alpha, long a, int lda, long x,
            float beta, long y) {
        try {
            SGEMV.invokeExact(ROW_MAJOR, transpose ? TRANSPOSE : NO_TRANSPOSE, rows, columns, alpha, a, lda, x, 1, beta,
                    y, 1);
        } catch (Throwable impossible) {
            throw new IllegalStateException("cblas_sgemv(%d, %d)".formatted(rows, columns), impossible);
        }
    }
}
