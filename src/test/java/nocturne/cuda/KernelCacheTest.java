package nocturne.cuda;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// An image from the cache is the one that was put there, or it is made again.
final class KernelCacheTest {
    private static final byte[] IMAGE = "the image".repeat(1000).getBytes(UTF_8);

    @TempDir
    private Path folder;

    private int made;

    @ParameterizedTest
    @ValueSource(strings = {"cut off", "one bit off", "empty", "only a hash", "another file"})
    void aDamagedFileIsMadeAgain(String damage) throws IOException {
        get();
        Path file = folder.resolve("key.cubin");
        byte[] whole = Files.readAllBytes(file);
        Files.write(file, switch (damage) {
            case "cut off" -> Arrays.copyOf(whole, whole.length - 100);
            case "one bit off" -> oneBitOff(whole);
            case "empty" -> new byte[0];
            case "only a hash" -> Arrays.copyOf(whole, 32);
            default -> "something else that is long enough to have a hash in front of it".getBytes(UTF_8);
        });
        assertThat(get()).isEqualTo(IMAGE);
        assertThat(made).isEqualTo(2);
        assertThat(file).hasBinaryContent(whole);
        get();
        assertThat(made).isEqualTo(2);
    }

    @Test
    void itLiesWhereTheEnvironmentSays() throws IOException {
        KernelCache.of(Map.of("XDG_CACHE_HOME", folder.resolve("cache").toString(), "HOME", "/nowhere"))
                .get("key", () -> IMAGE);
        assertThat(folder.resolve("cache/nocturne/kernels/key.cubin")).exists();
        // Says the specification of that variable: a relative path counts as none.
        KernelCache.of(Map.of("XDG_CACHE_HOME", "relative", "HOME", folder.toString())).get("key", () -> IMAGE);
        assertThat(folder.resolve(".cache/nocturne/kernels/key.cubin")).exists();
    }

    /// Two processes find nothing and make the same image at the same time, over and over.
    @Test
    void twoProcessesAtOnceDisturbEachOtherNot() throws Exception {
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            processes.add(new ProcessBuilder(ChildJvm.words(Fill.class, folder.toString())).inheritIO().start());
        }
        for (Process process : processes) {
            assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
            assertThat(process.exitValue()).isZero();
        }
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.map(file -> file.getFileName().toString()).sorted()).hasSize(Fill.IMAGES)
                    .allMatch(name -> name.matches("\\d+\\.cubin"));
        }
        for (int i = 0; i < Fill.IMAGES; i++) {
            byte[] kept = new KernelCache(folder).get(Integer.toString(i), () -> "not kept".getBytes(UTF_8));
            assertThat(kept).isEqualTo(Fill.image(i));
        }
    }

    /// What the children run.
    static final class Fill {
        static final int IMAGES = 50;

        static byte[] image(int number) {
            byte[] image = new byte[100_000];
            Arrays.fill(image, (byte) number);
            return image;
        }

        public static void main(String[] args) {
            KernelCache cache = new KernelCache(Path.of(args[0]));
            for (int i = 0; i < IMAGES; i++) {
                int number = i;
                byte[] got = cache.get(Integer.toString(i), () -> image(number));
                if (!Arrays.equals(got, image(i))) throw new IllegalStateException("image " + i);
            }
        }
    }

    private byte[] get() {
        return new KernelCache(folder).get("key", () -> {
            made++;
            return IMAGE.clone();
        });
    }

    private static byte[] oneBitOff(byte[] whole) {
        byte[] damaged = whole.clone();
        damaged[whole.length / 2] ^= 4;
        return damaged;
    }
}
