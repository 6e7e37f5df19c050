package nocturne.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import nocturne.io.DType;
import nocturne.io.HalfPrecision;
import nocturne.io.Safetensors;
import nocturne.io.SafetensorsWriter;
import nocturne.io.TensorData;
import nocturne.problem.UserMistake;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Files in ComfyUI's form, written here.
class ScaledFloat8Test {
    private static final int ROWS = 3;
    private static final int COLUMNS = 5;

    private final Path folder;

    ScaledFloat8Test(@TempDir Path folder) {
        this.folder = folder;
    }

    private static byte[] codes() {
        byte[] codes = new byte[ROWS * COLUMNS];
        for (int i = 0; i < codes.length; i++) codes[i] = HalfPrecision.toE4m3((i - 7) * 30f);
        return codes;
    }

    private static TensorData marker() {
        return TensorData.bytes("scaled_fp8", DType.F8_E4M3, List.of(2L), MemorySegment.ofArray(new byte[2]));
    }

    private static TensorData weight(DType type) {
        return TensorData.bytes(
                "a.weight", type, List.of((long) ROWS, (long) COLUMNS), MemorySegment.ofArray(codes()));
    }

    private static TensorData factor(List<Long> shape, float... values) {
        return TensorData.floats("a.scale_weight", DType.F32, shape, values);
    }

    private Safetensors file(TensorData... tensors) {
        Path path = folder.resolve("model.safetensors");
        SafetensorsWriter.write(path, Map.of(), List.of(tensors));
        return Safetensors.open(path);
    }

    @Test
    void weightsAreTheCodesTimesTheFactorRoundedToTheirType() {
        float factor = 0.0123f;
        for (List<Long> shape : List.of(List.<Long>of(), List.of(1L))) {
            for (Rounding rounding : Rounding.values()) {
                try (Arena memory = Arena.ofConfined();
                        Safetensors file = file(weight(DType.F8_E4M3), factor(shape, factor), marker())) {
                    assertThat(ScaledFloat8.isMarked(file)).isTrue();
                    QuantizedMatrix matrix = ScaledFloat8.matrix(file, "a", rounding, memory).orElseThrow();
                    float[] weights = new float[ROWS * COLUMNS];
                    matrix.dequantize(0, ROWS, MemorySegment.ofArray(weights), 0);
                    for (int i = 0; i < weights.length; i++) {
                        assertThat(weights[i])
                                .isEqualTo(rounding.of(HalfPrecision.fromE4m3(codes()[i]) * factor));
                    }
                }
            }
        }
    }

    @Test
    void theCodesAreUsedWhereTheyLie() {
        try (Arena memory = Arena.ofConfined();
                Safetensors file = file(weight(DType.F8_E4M3), factor(List.of(), 1), marker())) {
            QuantizedMatrix matrix = ScaledFloat8.matrix(file, "a", Rounding.BF16, memory).orElseThrow();
            assertThat(matrix.codes().address()).isEqualTo(file.bytes("a.weight").address());
        }
    }

    @Test
    void layersWithoutAFactorAreLeftToOthers() {
        try (Arena memory = Arena.ofConfined(); Safetensors file = file(weight(DType.F8_E4M3))) {
            assertThat(ScaledFloat8.isMarked(file)).isFalse();
            assertThat(ScaledFloat8.matrix(file, "a", Rounding.BF16, memory)).isEmpty();
        }
    }

    @Test
    void theFormsOwnTensorsAreKnown() {
        assertThat(List.of("scaled_fp8", "a.scale_weight", "a.scale_input")).allMatch(ScaledFloat8::isOwn);
        assertThat(List.of("a.weight", "a.bias")).noneMatch(ScaledFloat8::isOwn);
    }

    @Test
    void whatDoesNotBelongTogetherIsRefused() {
        List<TensorData[]> files = new ArrayList<>();
        for (float bad : new float[] {0, -1, Float.NaN, Float.POSITIVE_INFINITY}) {
            files.add(new TensorData[] {weight(DType.F8_E4M3), factor(List.of(), bad)});
        }
        files.add(new TensorData[] {weight(DType.F8_E5M2), factor(List.of(), 1)});
        files.add(new TensorData[] {weight(DType.U8), factor(List.of(), 1)});
        files.add(new TensorData[] {weight(DType.F8_E4M3), factor(List.of(3L), 1, 2, 3)});
        files.add(new TensorData[] {weight(DType.F8_E4M3),
                TensorData.floats("a.scale_weight", DType.BF16, List.of(), new float[] {1})});
        files.add(new TensorData[] {factor(List.of(), 1),
                TensorData.bytes("a.weight", DType.F8_E4M3, List.of(4L), MemorySegment.ofArray(new byte[4]))});
        for (TensorData[] tensors : files) {
            try (Arena memory = Arena.ofConfined(); Safetensors file = file(tensors)) {
                assertThatThrownBy(() -> ScaledFloat8.matrix(file, "a", Rounding.BF16, memory))
                        .isInstanceOf(UserMistake.class).hasMessageContaining("model.safetensors: tensor a.");
            }
        }
    }

    @Test
    void aFactorWithoutWeightsIsToldByName() {
        try (Arena memory = Arena.ofConfined(); Safetensors file = file(factor(List.of(), 1))) {
            assertThatThrownBy(() -> ScaledFloat8.matrix(file, "a", Rounding.BF16, memory))
                    .isInstanceOf(UserMistake.class).hasMessageContaining("a.weight");
        }
    }
}
