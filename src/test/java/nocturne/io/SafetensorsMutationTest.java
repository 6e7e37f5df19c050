package nocturne.io;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import nocturne.problem.UserMistake;
import nocturne.promise.Promise;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Headers that were sound once, changed where it hurts: numbers, brackets, names, whole pieces, the length in front.
///
/// The changes are drawn from a seed that is printed; `-Dseed=...` draws them again.
class SafetensorsMutationTest {
    private static final int HEADERS = Boolean.getBoolean("nocturne.long") ? 1_000_000 : 50_000;
    /// Reading a header of half a kilobyte costs some 20 KB of JSON parser and small objects.
    private static final long MOST_BYTES_ALLOCATED = 2 << 20;
    private static final List<String> PIECES = List.of("0", "-1", "9223372036854775807", "18446744073709551616", "1e9",
            "4611686018427387904", "null", "true", "\"F32\"", "\"BF16\"", "\"__metadata__\"", "[]", "{}", "[0,0]",
            "\"shape\":[1]", "\"data_offsets\":[0,4]", ",", ":", "{", "}", "[", "]", "\\u0000", "\"");

    @TempDir
    private Path folder = Path.of("");

    @Test
    @Promise(row = 16, fault = "50,000 mutated headers")
    void everyMutatedHeaderIsRefusedOrReadInBoundsAndCostsLittle() throws IOException {
        long seed = Long.getLong("seed", System.nanoTime());
        System.out.println("seed=" + seed);
        SplittableRandom random = new SplittableRandom(seed);
        byte[] sound = sound();
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        // The first reading also loads the classes that it needs.
        for (int i = 0; i < 100; i++) isRefused(mutated(sound, random));
        int refused = 0;
        int read = 0;
        for (int i = 0; i < HEADERS; i++) {
            byte[] changed = mutated(sound, random);
            long before = threads.getCurrentThreadAllocatedBytes();
            if (isRefused(changed)) refused++;
            else read++;
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;
            assertThat(allocated).as("bytes allocated for mutation %d", i).isLessThan(MOST_BYTES_ALLOCATED);
        }
        assertThat(refused).as("refused").isGreaterThan(HEADERS / 2);
        assertThat(read).as("read all the same").isPositive();
    }

    /// Anything but a mistake or a correct reading ends the test.
    private static boolean isRefused(byte[] bytes) {
        MemorySegment file = MemorySegment.ofArray(bytes);
        try {
            for (TensorEntry entry : SafetensorsHeader.read(file, "changed").tensors().values()) {
                assertThat(entry.bytes()).isEqualTo(entry.elements() * entry.dtype().bytes());
                file.asSlice(entry.offset(), entry.bytes());
            }
            return false;
        } catch (UserMistake mistake) {
            assertThat(mistake.report()).isNotBlank().hasSizeLessThan(20_000);
            return true;
        }
    }

    private static byte[] mutated(byte[] sound, SplittableRandom random) {
        int length = (int) ByteBuffer.wrap(sound).order(ByteOrder.LITTLE_ENDIAN).getLong();
        String header = new String(sound, 8, length, StandardCharsets.UTF_8);
        int data = sound.length - 8 - length;
        for (int i = 0; i <= random.nextInt(3); i++) header = mutated(header, random);
        byte[] bytes = header.getBytes(StandardCharsets.UTF_8);
        long told = random.nextInt(20) == 0 ? random.nextLong() : bytes.length;
        int kept = random.nextInt(20) == 0 ? random.nextInt(2 * data) : data;
        return RawSafetensors.withLength(told, bytes, kept);
    }

    private static String mutated(String header, SplittableRandom random) {
        int from = random.nextInt(header.length());
        int to = Math.min(header.length(), from + 1 + random.nextInt(30));
        String piece = PIECES.get(random.nextInt(PIECES.size()));
        return switch (random.nextInt(6)) {
            case 0 -> header.substring(0, from) + header.substring(to);
            case 1 -> header.substring(0, to) + header.substring(from);
            case 2 -> header.substring(0, from) + piece + header.substring(from);
            case 3 -> header.substring(0, from) + piece + header.substring(to);
            case 4 -> header.substring(0, from) + (char) random.nextInt(128) + header.substring(from + 1);
            default -> withAnotherNumber(header, from, random);
        };
    }

    /// The next digits from there on become another number, mostly one that is nearly right.
    private static String withAnotherNumber(String header, int from, SplittableRandom random) {
        int at = from;
        while (at < header.length() && !Character.isDigit(header.charAt(at))) at++;
        int end = at;
        while (end < header.length() && Character.isDigit(header.charAt(end)) && end - at < 9) end++;
        if (at == end) return header;
        long number = Long.parseLong(header.substring(at, end));
        long other = random.nextBoolean() ? number + random.nextInt(9) - 4 : random.nextLong();
        return header.substring(0, at) + other + header.substring(end);
    }

    private byte[] sound() throws IOException {
        Path file = folder.resolve("sound.safetensors");
        SafetensorsWriter.write(file, Map.of("format", "pt"), List.of(
                TensorData.floats("a.lora_A.weight", DType.BF16, List.of(2L, 3L), new float[] {1, 2, 3, 4, 5, 6}),
                TensorData.floats("alpha", DType.F32, List.of(), new float[] {7}),
                TensorData.ints("ids", List.of(2L), new int[] {8, 9}),
                TensorData.bytes("codes", List.of(3L), new byte[] {1, 2, 3})));
        return Files.readAllBytes(file);
    }
}
