package nocturne.cuda;

import static org.bytedeco.cuda.global.cublas.cublasLtCreate;
import static org.bytedeco.cuda.global.cublas.cublasLtDestroy;
import static org.bytedeco.cuda.global.cublas.cublasLtGetVersion;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmul;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmulAlgoConfigGetAttribute;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmulAlgoGetHeuristic;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmulDescCreate;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmulDescDestroy;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmulDescSetAttribute;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmulPreferenceCreate;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmulPreferenceDestroy;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmulPreferenceSetAttribute;
import static org.bytedeco.cuda.global.cublas.cublasLtMatrixLayoutCreate;
import static org.bytedeco.cuda.global.cublas.cublasLtMatrixLayoutDestroy;

import nocturne.problem.SickMachine;
import org.bytedeco.cuda.cublas.cublasLtContext;
import org.bytedeco.cuda.cublas.cublasLtMatmulAlgo_t;
import org.bytedeco.cuda.cublas.cublasLtMatmulDescOpaque_t;
import org.bytedeco.cuda.cublas.cublasLtMatmulHeuristicResult_t;
import org.bytedeco.cuda.cublas.cublasLtMatmulPreferenceOpaque_t;
import org.bytedeco.cuda.cublas.cublasLtMatrixLayoutOpaque_t;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.SizeTPointer;

/// The functions of cuBLASLt that we use, through JavaCPP's binding and in plain numbers: a handle or an address is a
/// `long`. Each answers with the library's status, 0 for success; what it makes it writes into an array.
///
/// What [CudaDriver] says about the driver's binding holds here: the only class that knows it, touched only where there
/// is a driver, and its calls are compared with what the oldest library has. Matrices are column-major, as the library
/// wants them. Used by one thread at a time.
final class CublasLt {
    static final int SUCCESS = 0;
    static final int NOT_SUPPORTED = 15;

    /// `CUDA_R_32F`, `CUDA_R_16BF`, `CUDA_R_8F_E4M3` of `cudaDataType`.
    static final int FLOAT32 = 0;
    static final int BFLOAT16 = 14;
    static final int FLOAT8_E4M3 = 28;

    /// Of a product (`cublasLtMatmulDescAttributes_t`). The first two: 1 if a matrix is to be transposed.
    static final int TRANSPOSE_A = 3;
    static final int TRANSPOSE_B = 4;
    static final int EPILOGUE = 7;
    static final int BIAS_ADDRESS = 8;
    static final int A_SCALE_ADDRESS = 17;
    static final int B_SCALE_ADDRESS = 18;
    static final int FAST_SUMS = 25;
    static final int BIAS_TYPE = 26;
    static final int A_SCALE_MODE = 31;
    static final int B_SCALE_MODE = 32;
    /// Adds a number to each row of the column-major result.
    static final int EPILOGUE_BIAS = 4;
    /// A scale for each row of `A` and each column of `B` (`OUTER_VEC_32F`).
    static final int SCALE_OF_EACH_ROW = 3;

    /// Of a preference (`cublasLtMatmulPreferenceAttributes_t`).
    static final int MOST_WORKSPACE_BYTES = 1;
    static final int REDUCTION_SCHEMES = 3;
    static final int[] LEAST_ALIGNMENTS = {5, 6, 7, 8};
    /// Parts of a sum are kept in float32 in the workspace, and added in a fixed order.
    static final int REDUCTION_IN_WORKSPACE = 2;

    private static final int COMPUTE_FLOAT32 = 68;
    /// Of `cublasLtMatmulAlgoConfigAttributes_t`: a number each of 4 bytes.
    private static final String[] CONFIGURATION = {"algorithm", "tile", "parts of the sum", "reduction scheme",
        "swizzling", "custom option", "stages"};

    private final PointerPointer<Pointer> made = new PointerPointer<>(1);
    private final LongPointer longValue = new LongPointer(1);
    private final IntPointer intValue = new IntPointer(1);
    private final BytePointer byteValue = new BytePointer(1);
    private final SizeTPointer written = new SizeTPointer(1);
    private final FloatPointer alpha = new FloatPointer(1);
    private final FloatPointer beta = new FloatPointer(1);
    private final Context context = new Context();
    private final Product product = new Product();
    private final Preference preference = new Preference();
    private final Layout a = new Layout();
    private final Layout b = new Layout();
    private final Layout c = new Layout();
    private final Memory aMemory = new Memory();
    private final Memory bMemory = new Memory();
    private final Memory cMemory = new Memory();
    private final Memory workspace = new Memory();
    private final Stream stream = new Stream();

    private CublasLt() {}

    /// An algorithm that the library has chosen for a product.
    static final class Choice {
        private final cublasLtMatmulHeuristicResult_t result = new cublasLtMatmulHeuristicResult_t();
        private final cublasLtMatmulAlgo_t algorithm = result.algo();

        /// 0 if it can be used.
        int status() {
            return result.state();
        }

        long workspaceBytes() {
            return result.workspaceSize();
        }
    }

    /// Loads the binding and what it needs.
    ///
    /// @throws SickMachine `DEVICE_LIBRARIES` if something is missing
    static CublasLt load(CudaLibraries libraries) {
        libraries.load(CudaLibrary.CUBLAS_LT);
        libraries.load(CudaLibrary.CUBLAS);
        try {
            return new CublasLt();
        } catch (LinkageError unusable) {
            throw new SickMachine("DEVICE_LIBRARIES",
                    "loading the binding of cuBLASLt failed: " + unusable.getMessage(), unusable);
        }
    }

    /// Such as 130100 for 13.1.0.
    long version() {
        return cublasLtGetVersion();
    }

    int create(long[] handle) {
        int status = cublasLtCreate(context.at(0));
        handle[0] = context.address();
        return status;
    }

    int destroy(long handle) {
        return cublasLtDestroy(context.at(handle));
    }

    /// A product that sums in float32, with scales in float32.
    int createProduct(long[] product) {
        return written(product, cublasLtMatmulDescCreate(made.put(0, (Pointer) null), COMPUTE_FLOAT32, FLOAT32));
    }

    int destroyProduct(long product) {
        return cublasLtMatmulDescDestroy(this.product.at(product));
    }

    int setProduct(long product, int attribute, int value) {
        return cublasLtMatmulDescSetAttribute(this.product.at(product), attribute, intValue.put(0, value),
                Integer.BYTES);
    }

    int setProductAddress(long product, int attribute, long address) {
        return cublasLtMatmulDescSetAttribute(this.product.at(product), attribute, longValue.put(0, address),
                Long.BYTES);
    }

    int setProductFlag(long product, int attribute, boolean value) {
        return cublasLtMatmulDescSetAttribute(this.product.at(product), attribute,
                byteValue.put(0, (byte) (value ? 1 : 0)), Byte.BYTES);
    }

    /// @param leadingDimension numbers from one column to the next
    int createLayout(long[] layout, int type, long rows, long columns, long leadingDimension) {
        return written(layout, cublasLtMatrixLayoutCreate(made.put(0, (Pointer) null), type, rows, columns,
                leadingDimension));
    }

    int destroyLayout(long layout) {
        return cublasLtMatrixLayoutDestroy(a.at(layout));
    }

    int createPreference(long[] preference) {
        return written(preference, cublasLtMatmulPreferenceCreate(made.put(0, (Pointer) null)));
    }

    int destroyPreference(long preference) {
        return cublasLtMatmulPreferenceDestroy(this.preference.at(preference));
    }

    int setPreference(long preference, int attribute, int value) {
        return cublasLtMatmulPreferenceSetAttribute(this.preference.at(preference), attribute,
                intValue.put(0, value), Integer.BYTES);
    }

    int setPreferenceBytes(long preference, int attribute, long bytes) {
        return cublasLtMatmulPreferenceSetAttribute(this.preference.at(preference), attribute,
                longValue.put(0, bytes), Long.BYTES);
    }

    /// The algorithm that the library holds for the fastest.
    ///
    /// @param found how many there were: 0 or 1
    int choose(long handle, long product, long a, long b, long c, long preference, Choice choice, int[] found) {
        return cublasLtMatmulAlgoGetHeuristic(context.at(handle), this.product.at(product), this.a.at(a), this.b.at(b),
                this.c.at(c), this.c, this.preference.at(preference), 1, choice.result, found);
    }

    /// `C = alpha op(A) op(B) + beta C`, and what the product says besides.
    int multiply(long handle, long product, float alpha, long a, long aLayout, long b, long bLayout, float beta,
            long c, long cLayout, Choice choice, long workspace, long workspaceBytes, long stream) {
        return cublasLtMatmul(context.at(handle), this.product.at(product), this.alpha.put(0, alpha), aMemory.at(a),
                this.a.at(aLayout), bMemory.at(b), this.b.at(bLayout), this.beta.put(0, beta), cMemory.at(c),
                this.c.at(cLayout), cMemory, this.c, choice.algorithm, this.workspace.at(workspace), workspaceBytes,
                this.stream.at(stream));
    }

    /// Names a choice for messages: `algorithm 66, tile 20, ...`.
    String describe(Choice choice) {
        StringBuilder text = new StringBuilder();
        for (int attribute = 0; attribute < CONFIGURATION.length; attribute++) {
            int status = cublasLtMatmulAlgoConfigGetAttribute(choice.algorithm, attribute, intValue, Integer.BYTES,
                    written);
            if (status != SUCCESS) continue;
            text.append(text.isEmpty() ? "" : ", ").append(CONFIGURATION[attribute]).append(' ')
                    .append(intValue.get(0));
        }
        return text.toString();
    }

    private int written(long[] handle, int status) {
        Pointer object = made.get(0);
        handle[0] = object == null ? 0 : object.address();
        return status;
    }

    // The binding's pointers, made to point elsewhere: what is pointed at is never theirs.

    private static final class Context extends cublasLtContext {
        Context at(long address) {
            this.address = address;
            return this;
        }
    }

    private static final class Product extends cublasLtMatmulDescOpaque_t {
        Product() {
            super((Pointer) null);
        }

        Product at(long address) {
            this.address = address;
            return this;
        }
    }

    private static final class Preference extends cublasLtMatmulPreferenceOpaque_t {
        Preference() {
            super((Pointer) null);
        }

        Preference at(long address) {
            this.address = address;
            return this;
        }
    }

    private static final class Layout extends cublasLtMatrixLayoutOpaque_t {
        Layout() {
            super((Pointer) null);
        }

        Layout at(long address) {
            this.address = address;
            return this;
        }
    }

    private static final class Memory extends Pointer {
        Memory at(long address) {
            this.address = address;
            return this;
        }
    }

    private static final class Stream extends CUstream_st {
        Stream at(long address) {
            this.address = address;
            return this;
        }
    }
}
