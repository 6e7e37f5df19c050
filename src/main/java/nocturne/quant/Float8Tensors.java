package nocturne.quant;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import nocturne.io.DType;
import nocturne.io.TensorEntry;
import nocturne.io.TensorSource;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;

/// A model's files as the numbers that they mean, where matrices lie in them as 8-bit floats: plain, or in ComfyUI's
/// forms with factors beside them.
///
/// A layer of such a form is `<module>.weight` (F8_E4M3 or F8_E5M2 `[out, in]`) and a factor, of the matrix or of each
/// row: `<module>.scale_weight` in files that a tensor `scaled_fp8` marks, `<module>.weight_scale` in later ones, which
/// say by `<module>.comfy_quant` (JSON as U8) or in the header's `_quantization_metadata` that it is `float8_e4m3fn`.
/// Factors of inputs, for products in 8 bits, are not needed. All these are told from the model's own tensors and are
/// not among [#tensors()]. A weight is `bf16(code * factor)`, as ComfyUI computes.
///
/// Codes of type E4M3 can be had as they lie, see [#codes].
public final class Float8Tensors implements TensorSource {
    private static final String CODE = "MODEL_INVALID";
    private static final String WEIGHT = ".weight";
    private static final String MARKER = "scaled_fp8";
    private static final String QUANT = ".comfy_quant";
    private static final List<String> FACTORS = List.of(".scale_weight", ".weight_scale");
    private static final List<String> OF_INPUTS = List.of(".scale_input", ".input_scale");
    private static final String HEADER = "_quantization_metadata";
    private static final String FORMAT = "float8_e4m3fn";
    private static final int MOST_JSON_BYTES = 1 << 16;
    private static final int MOST_PROBLEMS = 20;
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final ValueLayout.OfFloat FLOATS = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ValueLayout.OfLong LONGS = ValueLayout.JAVA_LONG_UNALIGNED;

    private final TensorSource whole;
    private final SequencedMap<String, TensorEntry> tensors;
    /// By the weight's name; one number, or one for each row.
    private final Map<String, float[]> factors = new HashMap<>();
    private final List<Problem> problems = new ArrayList<>();

    private Float8Tensors(TensorSource whole) {
        this.whole = whole;
        SequencedMap<String, TensorEntry> own = new LinkedHashMap<>();
        whole.tensors().forEach((name, entry) -> {
            if (!isOfTheForm(name)) own.put(name, entry);
        });
        tensors = own;
        readHeader();
        for (String name : whole.tensors().keySet()) {
            if (name.endsWith(QUANT)) readMark(name);
        }
        for (String name : whole.tensors().keySet()) {
            for (String ending : FACTORS) if (name.endsWith(ending)) readFactors(name, module(name, ending));
        }
    }

    /// The tensors of files, whatever lies beside them.
    ///
    /// @param source closed with the result; itself the result if it is one already
    /// @throws UserMistake `MODEL_INVALID` if factors and weights do not belong together, or are of another form
    public static Float8Tensors of(TensorSource source) {
        if (source instanceof Float8Tensors already) return already;
        Float8Tensors made = new Float8Tensors(source);
        if (made.problems.isEmpty()) return made;
        throw new UserMistake("%s holds weights of fewer bits in a form that is not read; take the bf16 or the fp8 file"
                .formatted(source.where()) + " of the model.",
                made.problems.subList(0, Math.min(made.problems.size(), MOST_PROBLEMS)));
    }

    /// The same of files that are not used otherwise: they are closed if this fails.
    public static Float8Tensors ofOwned(TensorSource source) {
        try {
            return of(source);
        } catch (UserMistake unfit) {
            source.close();
            throw unfit;
        }
    }

    private static boolean isOfTheForm(String name) {
        return name.equals(MARKER) || name.endsWith(QUANT)
                || Stream.concat(FACTORS.stream(), OF_INPUTS.stream()).anyMatch(name::endsWith);
    }

    private static String module(String name, String ending) {
        return name.substring(0, name.length() - ending.length());
    }

    private void note(String what) {
        problems.add(new Problem(CODE, whole.where(), what));
    }

    /// The header says what the layers are, in files where no tensor says it.
    private void readHeader() {
        String header = whole.metadata().get(HEADER);
        if (header == null) return;
        try {
            JSON.readTree(header).path("layers").properties()
                    .forEach(layer -> requireFormat(layer.getKey(), layer.getValue()));
        } catch (JacksonException e) {
            note("its header's " + HEADER + " is no JSON");
        }
    }

    private void readMark(String name) {
        String module = module(name, QUANT);
        TensorEntry mark = whole.entry(name);
        try {
            byte[] text = mark.bytes() > MOST_JSON_BYTES
                    ? new byte[0]
                    : whole.bytes(name).toArray(ValueLayout.JAVA_BYTE);
            if (!requireFormat(module, JSON.readTree(text))) return;
        } catch (IOException e) {
            note("tensor " + name + " is no JSON");
            return;
        }
        TensorEntry weight = tensors.get(module + WEIGHT);
        if (weight != null && weight.dtype() == DType.U8) {
            // A container of bytes, for programs that do not know the type.
            tensors.put(module + WEIGHT, new TensorEntry(
                    weight.name(), DType.F8_E4M3, weight.shape(), weight.offset(), weight.bytes()));
        }
        if (FACTORS.stream().noneMatch(ending -> whole.has(module + ending))) {
            note("tensor %s says that %s is %s, but it has no weight_scale".formatted(name, module, FORMAT));
        }
    }

    private boolean requireFormat(String module, JsonNode description) {
        String format = description.path("format").asText("");
        if (format.equals(FORMAT)) return true;
        note("%s is in the format %s; only %s is read".formatted(
                module, format.isEmpty() ? "without a name" : format, FORMAT));
        return false;
    }

    private void readFactors(String name, String module) {
        TensorEntry weight = tensors.get(module + WEIGHT);
        if (weight == null) {
            note("tensor %s has no %s%s beside it".formatted(name, module, WEIGHT));
            return;
        }
        List<Long> shape = weight.shape();
        boolean float8 = weight.dtype() == DType.F8_E4M3 || weight.dtype() == DType.F8_E5M2;
        if (!float8 || shape.size() != 2 || weight.elements() == 0) {
            note(("tensor %s has a factor beside it but is %s %s; only matrices of 8-bit floats are read with factors")
                    .formatted(weight.name(), weight.dtype(), shape));
            return;
        }
        TensorEntry entry = whole.entry(name);
        if (entry.dtype() != DType.F32 || entry.elements() != 1 && entry.elements() != shape.getFirst()) {
            note("tensor %s is %s %s; one F32 is needed, or one for each row".formatted(
                    name, entry.dtype(), entry.shape()));
            return;
        }
        float[] numbers = whole.floats(name);
        for (float factor : numbers) {
            if (Float.isFinite(factor) && factor > 0) continue;
            note("tensor %s holds %s, which is no factor".formatted(name, factor));
            return;
        }
        factors.put(module + WEIGHT, numbers);
    }

    /// The layers that lie in the files as codes that can be kept as they are.
    public LayerFormats formats() {
        return new LayerFormats(tensors.keySet().stream().filter(name -> name.endsWith(WEIGHT))
                .map(name -> module(name, WEIGHT)).filter(this::hasCodes)
                .collect(Collectors.toMap(Function.identity(), module -> WeightType.FLOAT8)));
    }

    boolean hasCodes(String module) {
        TensorEntry weight = tensors.get(module + WEIGHT);
        return weight != null && weight.dtype() == DType.F8_E4M3 && weight.shape().size() == 2 && weight.elements() > 0;
    }

    /// A layer's weights with the codes where they lie. One factor for the matrix is the same factor for every row; a
    /// layer without has the factor 1.
    ///
    /// @param module one of [#formats()]; these tensors must stay open as long as the matrix is used
    /// @param memory for the factors
    /// @throws UserMistake `MODEL_INVALID` if one of the codes is no number
    QuantizedMatrix codes(String module, SegmentAllocator memory) {
        TensorEntry weight = entry(module + WEIGHT);
        MemorySegment codes = whole.bytes(module + WEIGHT);
        if (!areNumbers(codes)) {
            throw new UserMistake(CODE, whole.where(), ("tensor %s holds a code that is no number; fetch the file"
                    + " again").formatted(weight.name()));
        }
        int rows = Math.toIntExact(weight.shape().getFirst());
        float[] own = factors.getOrDefault(module + WEIGHT, new float[] {1});
        MemorySegment scales = memory.allocate((long) rows * Float.BYTES, Float.BYTES);
        for (int row = 0; row < rows; row++) scales.setAtIndex(ValueLayout.JAVA_FLOAT, row, factor(own, row));
        return new QuantizedMatrix(WeightType.FLOAT8, Rounding.BF16, rows, Math.toIntExact(weight.shape().getLast()),
                codes, scales, MemorySegment.NULL);
    }

    private static float factor(float[] factors, int row) {
        return factors[factors.length == 1 ? 0 : row];
    }

    /// Whether none of the bytes is one of the two codes for "no number", all of whose bits but the sign are set. Eight
    /// at a time: a byte of `rest` is 0 where that is so, which shows as a borrow into its highest bit.
    private static boolean areNumbers(MemorySegment codes) {
        long bits = 0x7f7f7f7f7f7f7f7fL;
        long ones = 0x0101010101010101L;
        long found = 0;
        long at = 0;
        for (; at + Long.BYTES <= codes.byteSize(); at += Long.BYTES) {
            long rest = codes.get(LONGS, at) & bits ^ bits;
            found |= rest - ones & ~rest;
        }
        boolean sound = (found & ~bits) == 0;
        for (; at < codes.byteSize(); at++) sound &= (codes.get(ValueLayout.JAVA_BYTE, at) & 0x7f) != 0x7f;
        return sound;
    }

    @Override
    public void widen(String name, long first, long count, MemorySegment target, long targetOffset) {
        TensorSource.super.widen(name, first, count, target, targetOffset);
        float[] own = factors.get(name);
        if (own == null) return;
        long columns = entry(name).shape().getLast();
        for (long i = 0; i < count; ) {
            long row = (first + i) / columns;
            float factor = factor(own, (int) row);
            for (long end = Math.min(count, (row + 1) * columns - first); i < end; i++) {
                long at = targetOffset + i * Float.BYTES;
                target.set(FLOATS, at, Rounding.BF16.of(target.get(FLOATS, at) * factor));
            }
        }
    }

    @Override
    public String where() {
        return whole.where();
    }

    @Override
    public Map<String, String> metadata() {
        return whole.metadata();
    }

    @Override
    public SequencedMap<String, TensorEntry> tensors() {
        return Collections.unmodifiableSequencedMap(tensors);
    }

    @Override
    public MemorySegment bytes(String name) {
        entry(name);
        return whole.bytes(name);
    }

    @Override
    public void close() {
        whole.close();
    }
}
