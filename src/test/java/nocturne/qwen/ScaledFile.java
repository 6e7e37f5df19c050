package nocturne.qwen;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import nocturne.io.DType;
import nocturne.io.HalfPrecision;
import nocturne.io.SafetensorsFolder;
import nocturne.io.SafetensorsWriter;
import nocturne.io.TensorData;
import nocturne.io.TensorSource;

/// Writes a model as ComfyUI's "scaled fp8" files have it: each matrix as 8-bit floats and one factor, by which its
/// largest weight becomes the largest code; everything else in bf16.
public final class ScaledFile {
    private static final byte[] MARK = "{\"format\": \"float8_e4m3fn\"}".getBytes(StandardCharsets.UTF_8);

    private ScaledFile() {}

    /// @param prefix of all names
    /// @param ending of the factors' names: `scale_weight` with the older form's marker, `weight_scale` with the later
    ///     one's marks
    public static void write(Path target, Path model, String prefix, String ending) {
        boolean older = ending.equals("scale_weight");
        List<TensorData> tensors = new ArrayList<>();
        if (older) tensors.add(bytes(prefix + "scaled_fp8", DType.F8_E4M3, List.of(2L), new byte[2]));
        try (TensorSource source = SafetensorsFolder.open(model)) {
            source.tensors().forEach((name, entry) -> {
                float[] values = source.floats(name);
                if (!isMatrix(entry.shape())) {
                    tensors.add(TensorData.floats(prefix + name, DType.BF16, entry.shape(), values));
                    return;
                }
                String module = prefix + name.substring(0, name.length() - "weight".length());
                float factor = factor(values);
                byte[] codes = new byte[values.length];
                for (int i = 0; i < codes.length; i++) codes[i] = HalfPrecision.toE4m3(values[i] / factor);
                tensors.add(bytes(prefix + name, DType.F8_E4M3, entry.shape(), codes));
                tensors.add(TensorData.floats(module + ending, DType.F32, List.of(), new float[] {factor}));
                if (!older) tensors.add(bytes(module + "comfy_quant", DType.U8, List.of((long) MARK.length), MARK));
            });
            SafetensorsWriter.write(target, Map.of(), tensors);
        }
    }

    private static TensorData bytes(String name, DType type, List<Long> shape, byte[] bytes) {
        return TensorData.bytes(name, type, shape, MemorySegment.ofArray(bytes));
    }

    private static boolean isMatrix(List<Long> shape) {
        return shape.size() == 2;
    }

    private static float factor(float[] values) {
        float largest = 0;
        for (float value : values) largest = Math.max(largest, Math.abs(value));
        return Math.max(largest / HalfPrecision.E4M3_MAX, Float.MIN_NORMAL);
    }

    /// What a tensor has become.
    static float[] numbers(List<Long> shape, float[] values) {
        if (!isMatrix(shape)) return values;
        float factor = factor(values);
        float[] numbers = new float[values.length];
        for (int i = 0; i < numbers.length; i++) {
            float number = HalfPrecision.fromE4m3(HalfPrecision.toE4m3(values[i] / factor)) * factor;
            numbers[i] = HalfPrecision.fromBf16(HalfPrecision.toBf16(number));
        }
        return numbers;
    }
}
