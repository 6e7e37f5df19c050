package nocturne.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterProperty;
import net.jqwik.api.lifecycle.BeforeProperty;
import nocturne.problem.UserMistake;
import nocturne.promise.Promise;

class SafetensorsPropertyTest {
    private Path folder = Path.of("");

    @BeforeProperty
    void makeFolder() throws IOException {
        folder = Files.createTempDirectory("safetensors");
    }

    @AfterProperty
    void removeFolder() throws IOException {
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) Files.delete(file);
        }
        Files.delete(folder);
    }

    @Property(tries = 200)
    void whatIsWrittenIsRead(
            @ForAll("tensors") List<TensorData> tensors, @ForAll("metadata") Map<String, String> metadata) {
        Path file = folder.resolve("trip.safetensors");
        SafetensorsWriter.write(file, metadata, tensors);
        try (Safetensors read = Safetensors.open(file)) {
            assertThat(read.metadata()).isEqualTo(metadata);
            assertThat(read.tensors().keySet()).containsExactlyElementsOf(
                    tensors.stream().map(TensorData::name).toList());
            for (TensorData tensor : tensors) {
                TensorEntry entry = read.entry(tensor.name());
                assertThat(entry.dtype()).isEqualTo(tensor.dtype());
                assertThat(entry.shape()).isEqualTo(tensor.shape());
                assertThat(read.floats(tensor.name())).containsExactly(stored(tensor));
            }
        }
    }

    /// What the tensor's fp32 values become in its stored type.
    private static float[] stored(TensorData tensor) {
        float[] values = tensor.source().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
        for (int i = 0; i < values.length; i++) {
            if (tensor.dtype() == DType.F16) values[i] = Float.float16ToFloat(Float.floatToFloat16(values[i]));
            if (tensor.dtype() == DType.BF16) values[i] = HalfPrecision.fromBf16(HalfPrecision.toBf16(values[i]));
        }
        return values;
    }

    @Provide
    Arbitrary<List<TensorData>> tensors() {
        Arbitrary<List<Long>> shapes = Arbitraries.longs().between(0, 5).list().ofMaxSize(4);
        Arbitrary<DType> types = Arbitraries.of(DType.F32, DType.F16, DType.BF16);
        Arbitrary<TensorData> one = Combinators.combine(Arbitraries.strings().ofMaxLength(12), types, shapes,
                Arbitraries.randoms()).as((name, type, shape, random) -> {
                    float[] values = new float[shape.stream().mapToInt(Long::intValue).reduce(1, (a, b) -> a * b)];
                    for (int i = 0; i < values.length; i++) values[i] = (float) random.nextGaussian() * 100;
                    return TensorData.floats(legal(name), type, shape, values);
                });
        return one.list().ofMaxSize(8).uniqueElements(TensorData::name);
    }

    @Provide
    Arbitrary<Map<String, String>> metadata() {
        Arbitrary<String> text = Arbitraries.strings().ofMaxLength(20).map(SafetensorsPropertyTest::legal);
        return Arbitraries.maps(text, text).ofMaxSize(5);
    }

    /// Half a surrogate pair is no text and has no UTF-8 form.
    private static String legal(String text) {
        return text.replaceAll("[\\ud800-\\udfff]", "_");
    }

    private static final Map<String, String> METADATA = Map.of("format", "pt");

    private static List<TensorData> sample() {
        return List.of(
                TensorData.floats("a.lora_A.weight", DType.BF16, List.of(2L, 3L), new float[] {1, 2, 3, 4, 5, 6}),
                TensorData.floats("alpha", DType.F32, List.of(), new float[] {7}),
                TensorData.ints("ids", List.of(2L), new int[] {8, 9}),
                TensorData.bytes("codes", List.of(3L), new byte[] {1, 2, 3}));
    }

    @Example
    @Promise(row = 16, fault = "a file cut off after each of its bytes")
    void everyTruncationIsRefused() throws IOException {
        Path file = folder.resolve("whole.safetensors");
        SafetensorsWriter.write(file, METADATA, sample());
        byte[] whole = Files.readAllBytes(file);
        for (int length = 0; length < whole.length; length++) {
            Path cut = RawSafetensors.write(folder.resolve("cut.safetensors"), Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> Safetensors.open(cut)).as("first %d bytes", length)
                    .isInstanceOf(UserMistake.class);
        }
    }

    /// Every byte of the header takes every other value: the file is refused, or all it claims lies inside it. A name
    /// may change, since no reader can know; nothing else is thrown, and every tensor can be read to its end.
    @Example
    @Promise(row = 16, fault = "every byte of a header takes every other value")
    void everyChangedHeaderByteIsRefusedOrReadInBounds() throws IOException {
        Path file = folder.resolve("whole.safetensors");
        SafetensorsWriter.write(file, METADATA, sample());
        byte[] whole = Files.readAllBytes(file);
        long dataStart = 8 + ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).getLong();
        int refused = 0;
        int read = 0;
        for (int at = 0; at < dataStart; at++) {
            for (int value = 0; value < 256; value++) {
                if ((byte) value == whole[at]) continue;
                byte[] changed = whole.clone();
                changed[at] = (byte) value;
                if (readsInBounds(changed)) read++;
                else refused++;
            }
        }
        assertThat(refused).as("refused").isGreaterThan(1000);
        assertThat(read).as("read, names changed").isGreaterThan(10);
    }

    @Property(tries = 2000)
    void randomDamageIsRefusedOrReadInBounds(@ForAll Random random) throws IOException {
        Path file = folder.resolve("whole.safetensors");
        if (!Files.exists(file)) SafetensorsWriter.write(file, METADATA, sample());
        byte[] changed = Files.readAllBytes(file);
        for (int i = 0; i <= random.nextInt(6); i++) changed[random.nextInt(changed.length)] = (byte) random.nextInt();
        readsInBounds(changed);
    }

    private static boolean readsInBounds(byte[] bytes) {
        MemorySegment file = MemorySegment.ofArray(bytes);
        try {
            Set<Long> covered = new HashSet<>();
            for (TensorEntry entry : SafetensorsHeader.read(file, "changed").tensors().values()) {
                for (long at = 0; at < entry.bytes(); at++) assertThat(covered.add(entry.offset() + at)).isTrue();
                float[] values = new float[(int) entry.elements()];
                Widening.toFloats(entry.dtype(), file.asSlice(entry.offset(), entry.bytes()), entry.elements(),
                        MemorySegment.ofArray(values), 0);
            }
            return true;
        } catch (UserMistake refusal) {
            return false;
        }
    }
}
