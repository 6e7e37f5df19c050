package nocturne.quant;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import nocturne.io.DType;
import nocturne.io.TensorEntry;
import nocturne.io.TensorSource;
import nocturne.problem.UserMistake;

/// ComfyUI's "scaled fp8" files: weights as 8-bit floats, each matrix with one factor of its own.
///
/// A layer is `<module>.weight` (F8_E4M3 `[out, in]`) and `<module>.scale_weight` (one F32); an entry `scaled_fp8`
/// marks the file. `<module>.scale_input`, where there is one, is for products in 8 bits and is not needed. Layers
/// without a factor are stored as in any other file. The codes are used where they lie in the file: one factor for the
/// matrix is the same factor for every row.
public final class ScaledFloat8 {
    private static final String CODE = "MODEL_INVALID";
    private static final String MARKER = "scaled_fp8";

    private ScaledFloat8() {}

    /// Whether the file says that its 8-bit weights are to be multiplied by factors.
    public static boolean isMarked(TensorSource source) {
        return source.has(MARKER);
    }

    /// Whether a tensor belongs to this form and to no layer of the model.
    public static boolean isOwn(String name) {
        return name.equals(MARKER) || name.endsWith(".scale_weight") || name.endsWith(".scale_input");
    }

    /// A layer's weights; empty where the layer has no factor and is to be read as in any other file.
    ///
    /// @param source   gives the codes, and must stay open as long as the matrix is used
    /// @param rounding the type that the weights are to have; bf16 in ComfyUI
    /// @param memory   for the factors
    /// @throws UserMistake `MODEL_INVALID` if factor and weights do not belong together
    public static Optional<QuantizedMatrix> matrix(
            TensorSource source, String module, Rounding rounding, SegmentAllocator memory) {
        String factorName = module + ".scale_weight";
        if (!source.has(factorName)) return Optional.empty();
        TensorEntry weight = source.entry(module + ".weight");
        List<Long> shape = weight.shape();
        boolean usable = weight.dtype() == DType.F8_E4M3 && shape.size() == 2
                && shape.stream().allMatch(size -> size > 0 && size <= 1 << 24);
        if (!usable) {
            throw new UserMistake(CODE, source.where(), ("tensor %s.weight has a factor beside it but is %s %s; only"
                    + " matrices of F8_E4M3 are read with factors").formatted(module, weight.dtype(), shape));
        }
        float factor = factor(source, factorName);
        int rows = shape.get(0).intValue();
        MemorySegment scales = memory.allocate((long) rows * Float.BYTES, Float.BYTES);
        for (int row = 0; row < rows; row++) scales.setAtIndex(ValueLayout.JAVA_FLOAT, row, factor);
        return Optional.of(new QuantizedMatrix(WeightType.FLOAT8, rounding, rows, shape.get(1).intValue(),
                source.bytes(weight.name()), scales, MemorySegment.NULL));
    }

    private static float factor(TensorSource source, String name) {
        TensorEntry entry = source.entry(name);
        if (entry.dtype() != DType.F32 || entry.elements() != 1) {
            throw new UserMistake(CODE, source.where(), "tensor %s is %s %s; one F32 is needed".formatted(
                    name, entry.dtype(), entry.shape()));
        }
        float factor = source.floats(name)[0];
        if (!Float.isFinite(factor) || factor <= 0) {
            throw new UserMistake(CODE, source.where(), "tensor %s is %s, which is no factor".formatted(name, factor));
        }
        return factor;
    }
}
