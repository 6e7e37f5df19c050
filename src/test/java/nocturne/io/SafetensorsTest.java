package nocturne.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import nocturne.problem.UserMistake;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsTest {
    @TempDir
    Path folder;

    @Test
    void everyStoredTypeWidensToTheValueItStandsFor() {
        // One tensor per type, each holding 1 and -2 (or 1 and 2 where there is no sign), bytes written out by hand.
        String header = """
                {"f64":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},\
                "f32":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},\
                "f16":{"dtype":"F16","shape":[2],"data_offsets":[12,16]},\
                "bf16":{"dtype":"BF16","shape":[2],"data_offsets":[16,20]},\
                "e4m3":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[20,22]},\
                "e5m2":{"dtype":"F8_E5M2","shape":[2],"data_offsets":[22,24]},\
                "i64":{"dtype":"I64","shape":[1],"data_offsets":[24,32]},\
                "i32":{"dtype":"I32","shape":[1],"data_offsets":[32,36]},\
                "i16":{"dtype":"I16","shape":[1],"data_offsets":[36,38]},\
                "i8":{"dtype":"I8","shape":[1],"data_offsets":[38,39]},\
                "u8":{"dtype":"U8","shape":[],"data_offsets":[39,40]}}""";
        byte[] data = HexFormat.of().parseHex(
                "00000000000000c0" + "000000c0" + "003c00c0" + "803f00c0" + "38c0" + "3cc0"
                        + "feffffffffffffff" + "feffffff" + "feff" + "fe" + "fe");
        byte[] file = RawSafetensors.of(header, data.length);
        System.arraycopy(data, 0, file, file.length - data.length, data.length);

        try (Safetensors tensors = Safetensors.open(RawSafetensors.write(folder.resolve("types"), file))) {
            for (String name : List.of("f64", "f32", "i64", "i32", "i16", "i8")) {
                assertThat(tensors.floats(name)).as(name).containsExactly(-2);
            }
            for (String name : List.of("f16", "bf16", "e4m3", "e5m2")) {
                assertThat(tensors.floats(name)).as(name).containsExactly(1, -2);
            }
            assertThat(tensors.floats("u8")).containsExactly(254);
            assertThat(tensors.ints("i64")).containsExactly(-2);
            assertThat(tensors.ints("u8")).containsExactly(254);
            assertThatThrownBy(() -> tensors.ints("f32")).isInstanceOf(UserMistake.class).hasMessageContaining("F32");
        }
    }

    @Test
    void anUnalignedTensorIsReadLikeAnyOther() {
        // The header is 57 bytes long, so the fp32 values start at an odd address.
        byte[] file = RawSafetensors.of("{\"odd1\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4);
        assertThat((file.length - 4) % 4).isNotZero();
        try (Safetensors tensors = Safetensors.open(RawSafetensors.write(folder.resolve("odd"), file))) {
            assertThat(tensors.floats("odd1")).containsExactly(Float.intBitsToFloat(0x03020100));
        }
    }

    @Test
    void someRowsOfATableAreReadWithoutTheRest() {
        float[] table = new float[10_000 * 3];
        for (int i = 0; i < table.length; i++) table[i] = i % 256;
        Path file = folder.resolve("table.safetensors");
        SafetensorsWriter.write(file, Map.of(),
                List.of(TensorData.floats("table", DType.BF16, List.of(10_000L, 3L), table)));
        try (Safetensors tensors = Safetensors.open(file); Arena arena = Arena.ofConfined()) {
            MemorySegment rows = arena.allocate(7 * 3 * Float.BYTES + 8);
            tensors.widen("table", 5000 * 3, 7 * 3, rows, 8);
            for (int i = 0; i < 21; i++) {
                assertThat(rows.get(ValueLayout.JAVA_FLOAT, 8 + 4L * i)).isEqualTo((15_000 + i) % 256);
            }
        }
    }

    @Test
    void aMissingTensorIsToldWithTheNearestNames() {
        Path file = folder.resolve("m.safetensors");
        SafetensorsWriter.write(file, Map.of(), List.of(
                TensorData.ints("img_in.weight", List.of(1L), new int[1]),
                TensorData.ints("txt_in.weight", List.of(1L), new int[1]),
                TensorData.ints("transformer_blocks.0.attn.to_q.weight", List.of(1L), new int[1])));
        try (Safetensors tensors = Safetensors.open(file)) {
            assertThatThrownBy(() -> tensors.floats("img_in.weights"))
                    .isInstanceOfSatisfying(UserMistake.class,
                            e -> assertThat(e.problems().getFirst().code()).isEqualTo("TENSOR_MISSING"))
                    .hasMessageContaining("the nearest names are img_in.weight, txt_in.weight");
        }
    }

    @Test
    void aFileThatIsNotThereOrNoFileIsAMistakeOfTheUser() {
        assertThatThrownBy(() -> Safetensors.open(folder.resolve("nowhere"))).isInstanceOf(UserMistake.class)
                .hasMessageContaining("nowhere: does not exist");
        assertThatThrownBy(() -> Safetensors.open(folder)).isInstanceOf(UserMistake.class)
                .hasMessageContaining("is a folder");
    }

    @Test
    void theFirstPrefixThatIsThereIsTakenOff() {
        Path file = folder.resolve("wrapped.safetensors");
        SafetensorsWriter.write(file, Map.of(), List.of(
                TensorData.ints("model.diffusion_model.img_in.weight", List.of(2L), new int[] {3, 4}),
                TensorData.ints("vae.conv", List.of(1L), new int[1])));
        try (Safetensors whole = Safetensors.open(file)) {
            TensorSource model = whole.withoutPrefix("diffusion_model.", "model.diffusion_model.");
            assertThat(model.tensors().keySet()).containsExactly("img_in.weight");
            assertThat(model.ints("img_in.weight")).containsExactly(3, 4);
            assertThat(model.floats("img_in.weight")).containsExactly(3, 4);
            assertThatThrownBy(() -> model.bytes("vae.conv")).isInstanceOf(UserMistake.class);
            assertThat(whole.withoutPrefix("nothing.")).isSameAs(whole);
        }
    }

    @Test
    void theWriterKeepsTheOrderOfKeysAndAlignsEveryTensor() throws Exception {
        Path file = folder.resolve("mixed.safetensors");
        SafetensorsWriter.write(file, Map.of("format", "pt"), List.of(
                TensorData.bytes("a", List.of(3L), new byte[] {1, 2, 3}),
                TensorData.floats("b", DType.F32, List.of(1L), new float[] {4}),
                TensorData.floats("c", DType.F16, List.of(1L), new float[] {5}),
                TensorData.longs("d", List.of(), new long[] {6})));
        try (Safetensors tensors = Safetensors.open(file)) {
            assertThat(tensors.metadata()).containsExactly(Map.entry("format", "pt"));
            assertThat(tensors.tensors().keySet()).containsExactly("a", "b", "c", "d");
            for (TensorEntry entry : tensors.tensors().values()) {
                assertThat(entry.offset() % entry.dtype().bytes()).as(entry.name()).isZero();
            }
            assertThat(tensors.ints("a")).containsExactly(1, 2, 3);
            assertThat(tensors.floats("b")).containsExactly(4);
            assertThat(tensors.floats("c")).containsExactly(5);
            assertThat(tensors.ints("d")).containsExactly(6);
        }
        assertThat(Files.size(file) % 8).isEqualTo((8 + 4 + 2 + 3) % 8);
    }

    @Test
    void valuesThatTheFileCannotHoldAreRefusedWhenAskedAndLeaveNoFile() {
        Path file = folder.resolve("large.safetensors");
        TensorData large = TensorData.floats("x", DType.F16, List.of(2L), new float[] {65_519, 65_520});
        assertThatThrownBy(() -> SafetensorsWriter.write(file, Map.of(), List.of(large.mustBeFinite())))
                .isInstanceOf(UserMistake.class)
                .hasMessageContaining("element 1 is 65520.0, which F16 cannot hold");
        float edge = 0x1.ffp127f;
        TensorData beyond = TensorData.floats("x", DType.BF16, List.of(2L), new float[] {Math.nextDown(edge), edge});
        assertThatThrownBy(() -> SafetensorsWriter.write(file, Map.of(), List.of(beyond.mustBeFinite())))
                .isInstanceOf(UserMistake.class).hasMessageContaining("element 1 ");
        TensorData broken = TensorData.floats("x", DType.F32, List.of(1L), new float[] {Float.NaN});
        assertThatThrownBy(() -> SafetensorsWriter.write(file, Map.of(), List.of(broken.mustBeFinite())))
                .isInstanceOf(UserMistake.class).hasMessageContaining("NaN");
        assertThat(folder).isEmptyDirectory();
        SafetensorsWriter.write(file, Map.of(), List.of(large));
        try (Safetensors tensors = Safetensors.open(file)) {
            assertThat(tensors.floats("x")).containsExactly(65_504, Float.POSITIVE_INFINITY);
        }
    }
}
