package nocturne.cuda;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import nocturne.io.DType;
import nocturne.problem.SickMachine;
import nocturne.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// Products by NVIDIA's cuBLASLt.
///
/// It takes factors of bf16 and codes of e4m3, with a result of bf16 or float32 and a bias of the result's type, which
/// for codes has to be bf16. For tensor cores it wants each matrix, and a bias, to begin at a multiple of 16 bytes, and
/// so each row; what does not is left to our own kernels. Codes with a scale for each row are multiplied on cards of
/// compute capability 9.0 only, and e4m3 there only as `x w^T`, which is all that is asked for.
///
/// The library reads matrices by columns, so our row-major `[r, c]` is its `[c, r]`: it is asked for
/// `c^T = op(b)^T op(a)^T`, with `b` in the first place and scales and bias along.
///
/// The same bits every time: an algorithm is chosen for each form of product by what does not change between runs (an
/// alignment of 16 bytes is assumed, whatever it is), it is the first that the library names, and none that adds parts
/// of a sum as they happen to arrive. Another version of the library may choose another one.
final class CublasLtProducts implements LibraryProducts, AutoCloseable {
    /// What NVIDIA recommends for Hopper, of which other cards need less.
    static final long WORKSPACE_BYTES = 32L << 20;
    private static final long OLDEST_VERSION = 130_000;
    private static final int ALIGNMENT = 16;
    /// Of a bias or scales while an algorithm is chosen: it is not looked into, but its alignment counts.
    private static final long ANY_ADDRESS = ALIGNMENT;

    /// The work on a card that these products are part of.
    interface Queue {
        /// Makes the card's context the calling thread's.
        void enter();

        void launched(int rows, int columns, int depth);

        /// Waits for all work.
        ///
        /// @throws SickMachine if some of it went wrong
        void finish();
    }

    /// All that an algorithm is chosen by.
    private record Form(int rows, int columns, int depth, boolean transposeA, boolean transposeB, DType factors,
            DType result, boolean biased, boolean fastSums) {
        @Override
        public String toString() {
            return "product of %s [%d, %d]%s by [%d, %d]%s%s into %s".formatted(name(factors),
                    transposeA ? depth : rows, transposeA ? rows : depth, transposeA ? "^T" : "",
                    transposeB ? columns : depth, transposeB ? depth : columns, transposeB ? "^T" : "",
                    biased ? " + bias" : "", name(result));
        }

        private static String name(DType type) {
            return type.name().toLowerCase(Locale.ROOT);
        }
    }

    /// What the library needs for a form; `choice` is null where it has nothing for it. Layouts are in its order.
    private record Plan(Form form, long product, long first, long second, long result,
            CublasLt.@Nullable Choice choice) {}

    private final CublasLt library;
    private final MemorySegment workspace;
    private final long stream;
    private final boolean multipliesCodes;
    private final Queue queue;
    private final long handle;
    private final long preference;
    private final Map<Form, Plan> plans = new HashMap<>();
    private final long[] answer = new long[1];
    private boolean codesAreRefused;

    /// @param workspace       [#WORKSPACE_BYTES] of the card's memory, for nothing else; not owned
    /// @param multipliesCodes whether the card can, see above
    /// @throws SickMachine `DEVICE_LIBRARIES` if the library is too old or does not start
    CublasLtProducts(CublasLt library, MemorySegment workspace, long stream, boolean multipliesCodes, Queue queue) {
        this.library = library;
        this.workspace = workspace;
        this.stream = stream;
        this.multipliesCodes = multipliesCodes;
        this.queue = queue;
        if (library.version() < OLDEST_VERSION) {
            throw new SickMachine("DEVICE_LIBRARIES", "%s is too old; %s or newer is needed.".formatted(name(),
                    spelled(OLDEST_VERSION)), null);
        }
        queue.enter();
        check(library.create(answer), "starting it");
        handle = answer[0];
        try {
            preference = preference();
        } catch (RuntimeException | Error failure) {
            library.destroy(handle);
            throw failure;
        }
    }

    private long preference() {
        check(library.createPreference(answer), "making a preference");
        long made = answer[0];
        check(library.setPreferenceBytes(made, CublasLt.MOST_WORKSPACE_BYTES, workspace.byteSize()),
                "giving it a workspace");
        check(library.setPreference(made, CublasLt.REDUCTION_SCHEMES, CublasLt.REDUCTION_IN_WORKSPACE),
                "asking for the same bits every time");
        for (int attribute : CublasLt.LEAST_ALIGNMENTS) {
            check(library.setPreference(made, attribute, ALIGNMENT), "naming an alignment");
        }
        return made;
    }

    @Override
    public String name() {
        return "cuBLASLt " + spelled(library.version());
    }

    private static String spelled(long version) {
        return "%d.%d.%d".formatted(version / 10_000, version / 100 % 100, version % 100);
    }

    /// Leaves products of codes to our own kernels from now on.
    void refuseCodes() {
        codesAreRefused = true;
    }

    @Override
    public boolean product(Tensor a, boolean transposeA, Tensor b, boolean transposeB, @Nullable Tensor bias,
            float alpha, float beta, Tensor c) {
        int depth = transposeA ? a.rows() : a.columns();
        boolean takesTypes = a.type() == DType.BF16 && b.type() == DType.BF16
                && (c.type() == DType.BF16 || c.type() == DType.F32);
        if (!takesTypes || depth == 0 || !areAligned(a, b, c, bias)) return false;
        Plan plan = plan(new Form(c.rows(), c.columns(), depth, transposeA, transposeB, DType.BF16, c.type(),
                bias != null, false));
        return plan.choice != null && run(plan, alpha, a, b, bias, beta, c);
    }

    @Override
    public boolean codeProduct(Tensor x, Tensor xScale, Tensor w, Tensor wScale, @Nullable Tensor bias, float beta,
            Tensor y, boolean fastSums) {
        boolean takesTypes = x.type() == DType.F8_E4M3 && w.type() == DType.F8_E4M3
                && (y.type() == DType.BF16 || y.type() == DType.F32 && bias == null);
        if (!multipliesCodes || codesAreRefused || !takesTypes || !areAligned(x, w, y, bias)
                || !beginsAligned(xScale) || !beginsAligned(wScale) || x.columns() == 0
                || y.columns() % ALIGNMENT != 0) {
            return false;
        }
        Plan plan = plan(new Form(y.rows(), y.columns(), x.columns(), false, true, DType.F8_E4M3, y.type(),
                bias != null, fastSums));
        if (plan.choice == null) return false;
        point(plan, CublasLt.A_SCALE_ADDRESS, wScale.data().address());
        point(plan, CublasLt.B_SCALE_ADDRESS, xScale.data().address());
        return run(plan, 1, x, w, bias, beta, y);
    }

    private static boolean areAligned(Tensor a, Tensor b, Tensor c, @Nullable Tensor bias) {
        return isAligned(a) && isAligned(b) && isAligned(c)
                && (bias == null || bias.type() == c.type() && beginsAligned(bias));
    }

    private static boolean isAligned(Tensor matrix) {
        return beginsAligned(matrix) && matrix.type().bytes() * (long) matrix.columns() % ALIGNMENT == 0;
    }

    private static boolean beginsAligned(Tensor tensor) {
        return tensor.data().address() % ALIGNMENT == 0;
    }

    private Plan plan(Form form) {
        queue.enter();
        Plan plan = plans.get(form);
        if (plan == null) {
            plan = made(form);
            plans.put(form, plan);
        }
        return plan;
    }

    private Plan made(Form form) {
        String doing = "preparing a " + form;
        check(library.createProduct(answer), doing);
        long product = answer[0];
        set(product, CublasLt.TRANSPOSE_A, form.transposeB ? 1 : 0, doing);
        set(product, CublasLt.TRANSPOSE_B, form.transposeA ? 1 : 0, doing);
        if (form.biased) {
            set(product, CublasLt.EPILOGUE, CublasLt.EPILOGUE_BIAS, doing);
            set(product, CublasLt.BIAS_TYPE, type(form.result), doing);
            check(library.setProductAddress(product, CublasLt.BIAS_ADDRESS, ANY_ADDRESS), doing);
        }
        if (form.factors == DType.F8_E4M3) {
            set(product, CublasLt.A_SCALE_MODE, CublasLt.SCALE_OF_EACH_ROW, doing);
            set(product, CublasLt.B_SCALE_MODE, CublasLt.SCALE_OF_EACH_ROW, doing);
            check(library.setProductAddress(product, CublasLt.A_SCALE_ADDRESS, ANY_ADDRESS), doing);
            check(library.setProductAddress(product, CublasLt.B_SCALE_ADDRESS, ANY_ADDRESS), doing);
            check(library.setProductFlag(product, CublasLt.FAST_SUMS, form.fastSums), doing);
        }
        long first = form.transposeB ? layout(form.factors, form.columns, form.depth, doing)
                : layout(form.factors, form.depth, form.columns, doing);
        long second = form.transposeA ? layout(form.factors, form.depth, form.rows, doing)
                : layout(form.factors, form.rows, form.depth, doing);
        long result = layout(form.result, form.rows, form.columns, doing);
        CublasLt.Choice choice = new CublasLt.Choice();
        int[] found = new int[1];
        int status = library.choose(handle, product, first, second, result, preference, choice, found);
        if (status != CublasLt.NOT_SUPPORTED) check(status, "choosing an algorithm for a " + form);
        boolean isThere = status == CublasLt.SUCCESS && found[0] > 0 && choice.status() == CublasLt.SUCCESS;
        return new Plan(form, product, first, second, result, isThere ? choice : null);
    }

    /// Of a row-major matrix `[height, width]`: its rows are the library's columns.
    private long layout(DType type, int height, int width, String doing) {
        check(library.createLayout(answer, type(type), width, height, width), doing);
        return answer[0];
    }

    private void set(long product, int attribute, int value, String doing) {
        check(library.setProduct(product, attribute, value), doing);
    }

    private void point(Plan plan, int attribute, long address) {
        int status = library.setProductAddress(plan.product, attribute, address);
        if (status != CublasLt.SUCCESS) throw failure(status, "preparing a " + plan.form);
    }

    private static int type(DType type) {
        return switch (type) {
            case F32 -> CublasLt.FLOAT32;
            case BF16 -> CublasLt.BFLOAT16;
            case F8_E4M3 -> CublasLt.FLOAT8_E4M3;
            default -> throw new IllegalArgumentException("cuBLASLt is not given " + type);
        };
    }

    private boolean run(Plan plan, float alpha, Tensor a, Tensor b, @Nullable Tensor bias, float beta, Tensor c) {
        CublasLt.Choice choice = plan.choice;
        if (choice == null) return false;
        if (bias != null) point(plan, CublasLt.BIAS_ADDRESS, bias.data().address());
        Form form = plan.form;
        queue.launched(form.rows, form.columns, form.depth);
        int status = library.multiply(handle, plan.product, alpha, b.data().address(), plan.first, a.data().address(),
                plan.second, beta, c.data().address(), plan.result, choice, workspace.address(), workspace.byteSize(),
                stream);
        if (status == CublasLt.NOT_SUPPORTED) {
            // Said before anything is computed; which numbers are added to the product shows no sooner than here.
            plans.put(form, new Plan(form, plan.product, plan.first, plan.second, plan.result, null));
            return false;
        }
        if (status != CublasLt.SUCCESS) {
            throw failure(status, "a %s with %s".formatted(form, library.describe(choice)));
        }
        return true;
    }

    private void check(int status, String doing) {
        if (status != CublasLt.SUCCESS) throw failure(status, doing);
    }

    /// What the library refuses is our mistake; for what goes wrong in it the card may be to blame, which knows best.
    private RuntimeException failure(int status, String doing) {
        String what = "%s: %s answered with status %d (%s).".formatted(doing, name(), status, name(status));
        return switch (status) {
            case 7, 15 -> new IllegalStateException(what + " --gemm own does without it.");
            case 3 -> new SickMachine("GPU_OUT_OF_MEMORY", what + " --gemm own does without it.", null);
            default -> {
                queue.finish();
                yield new SickMachine("DEVICE_LIBRARIES", what + " --gemm own does without it.", null);
            }
        };
    }

    /// Of `cublasStatus_t`.
    private static String name(int status) {
        return switch (status) {
            case 1 -> "not initialised";
            case 3 -> "no memory";
            case 7 -> "invalid value";
            case 8 -> "not for this card";
            case 11 -> "no access to memory";
            case 13 -> "a kernel failed";
            case 14 -> "internal error";
            case 15 -> "not supported";
            case 16 -> "no licence";
            default -> "unknown";
        };
    }

    /// Gives everything back to the library.
    @Override
    public void close() {
        queue.enter();
        int failed = CublasLt.SUCCESS;
        for (Plan plan : plans.values()) {
            failed = worse(failed, library.destroyProduct(plan.product));
            failed = worse(failed, library.destroyLayout(plan.first));
            failed = worse(failed, library.destroyLayout(plan.second));
            failed = worse(failed, library.destroyLayout(plan.result));
        }
        plans.clear();
        failed = worse(failed, library.destroyPreference(preference));
        check(worse(failed, library.destroy(handle)), "ending it");
    }

    private static int worse(int before, int now) {
        return before != CublasLt.SUCCESS ? before : now;
    }
}
