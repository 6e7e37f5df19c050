package nocturne.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import nocturne.dataset.CacheFolder.Statistics;
import nocturne.problem.UserMistake;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CacheFolderTest {
    private static final CacheKey KEY = CacheKey.of("latents", "picture", "crop", "vae");

    @TempDir
    Path temporary;

    private Path folder;

    @BeforeEach
    void cacheFolder() {
        folder = temporary.resolve("cache");
    }

    @Test
    void aValueIsComputedOnceAndReadBackBitForBitEvenByAnotherProcess() {
        float[] odd = {1, -0f, Float.MIN_VALUE, Float.MAX_VALUE, Float.POSITIVE_INFINITY, Float.NaN};
        CacheFolder cache = new CacheFolder(folder);
        cache.get(KEY, () -> tensors(odd));
        CacheFolder later = new CacheFolder(folder);
        Map<String, CachedTensor> read = later.get(KEY, CacheFolderTest::mustNotRun);
        assertThat(read.keySet()).containsExactly("mean", "length");
        assertThat(read.get("mean").shape()).containsExactly(2L, 3L);
        assertThat(bits(read.get("mean"))).isEqualTo(bits(new CachedTensor(List.of(6L), odd)));
        assertThat(cache.statistics()).isEqualTo(new Statistics(0, 1, 0));
        assertThat(later.statistics()).isEqualTo(new Statistics(1, 0, 0));
    }

    @Test
    void anotherDeterminantIsAnotherEntry() {
        CacheFolder cache = new CacheFolder(folder);
        cache.get(KEY, () -> tensors(1, 2, 3, 4, 5, 6));
        assertThat(cache.contains(CacheKey.of("latents", "picture", "crop", "other vae"))).isFalse();
        assertThat(cache.contains(CacheKey.of("latents", "picturecrop", "", "vae"))).isFalse();
        assertThat(cache.contains(CacheKey.of("text", "picture", "crop", "vae"))).isFalse();
        assertThat(cache.contains(KEY)).isTrue();
    }

    @Test
    void aTornFileIsRebuiltWhereverItWasTorn() throws IOException {
        CacheFolder cache = new CacheFolder(folder);
        cache.get(KEY, () -> tensors(1, 2, 3, 4, 5, 6));
        Path file = onlyFile();
        byte[] whole = Files.readAllBytes(file);
        for (int length = 0; length < whole.length; length += 7) {
            Files.write(file, Arrays.copyOf(whole, length));
            assertRebuilt(cache);
            assertThat(file).hasBinaryContent(whole);
        }
    }

    /// Not only the header: a bit in the middle of the values is noticed too.
    @Test
    void aSingleChangedBitIsNoticedAnywhere() throws IOException {
        CacheFolder cache = new CacheFolder(folder);
        cache.get(KEY, () -> tensors(1, 2, 3, 4, 5, 6));
        Path file = onlyFile();
        byte[] whole = Files.readAllBytes(file);
        SplittableRandom random = new SplittableRandom(3);
        for (int round = 0; round < 60; round++) {
            byte[] changed = whole.clone();
            // The last rounds hit the values, which are the last 28 bytes.
            int at = round < 40 ? random.nextInt(whole.length) : whole.length - 28 + round - 40;
            changed[at] ^= (byte) (1 << random.nextInt(8));
            Files.write(file, changed);
            // A change between two spellings of the same header may go unnoticed, a change of a value may not.
            Map<String, CachedTensor> read = cache.get(KEY, () -> tensors(1, 2, 3, 4, 5, 6));
            assertThat(read.get("mean").values()).as("byte %d", at).containsExactly(1, 2, 3, 4, 5, 6);
            if (round >= 40) assertThat(file).hasBinaryContent(whole);
        }
        assertThat(cache.statistics().rebuilt()).isGreaterThanOrEqualTo(50);
    }

    @Test
    void aFileUnderTheNameOfAnotherIsNotUsed() throws IOException {
        CacheFolder cache = new CacheFolder(folder);
        CacheKey other = CacheKey.of("latents", "another");
        cache.get(KEY, () -> tensors(1, 2, 3, 4, 5, 6));
        Path file = onlyFile();
        cache.get(other, () -> tensors(9, 9, 9, 9, 9, 9));
        Files.copy(file.resolveSibling(other.hash() + ".safetensors"), file,
                StandardCopyOption.REPLACE_EXISTING);
        assertRebuilt(cache);
    }

    @Test
    void whatAKilledProcessLeftIsSweptAway() throws IOException {
        new CacheFolder(folder).get(KEY, () -> tensors(1, 2, 3, 4, 5, 6));
        Path left = Files.writeString(folder.resolve("latents/.nocturne-99-1.part"), "half");
        CacheFolder cache = new CacheFolder(folder);
        assertThat(left).doesNotExist();
        cache.get(KEY, CacheFolderTest::mustNotRun);
    }

    @Test
    void aFailureWhileComputingLeavesNothingBehind() throws IOException {
        CacheFolder cache = new CacheFolder(folder);
        assertThatThrownBy(() -> cache.get(KEY, () -> {
            throw new IllegalStateException("no memory");
        })).hasMessage("no memory");
        assertThat(cache.contains(KEY)).isFalse();
    }

    @Test
    void aFolderThatCannotBeMadeIsNamed() throws IOException {
        Path file = Files.writeString(temporary.resolve("file"), "x");
        assertThatThrownBy(() -> new CacheFolder(file))
                .isInstanceOf(UserMistake.class).hasMessageContaining(file + ": cannot be written");
    }

    private static void assertRebuilt(CacheFolder cache) {
        int before = cache.statistics().rebuilt();
        Map<String, CachedTensor> read = cache.get(KEY, () -> tensors(1, 2, 3, 4, 5, 6));
        assertThat(read.get("mean").values()).containsExactly(1, 2, 3, 4, 5, 6);
        assertThat(cache.statistics().rebuilt()).isEqualTo(before + 1);
    }

    private Path onlyFile() throws IOException {
        try (var files = Files.list(folder.resolve("latents"))) {
            List<Path> found = files.toList();
            assertThat(found).hasSize(1);
            return found.getFirst();
        }
    }

    private static Map<String, CachedTensor> tensors(float... values) {
        Map<String, CachedTensor> tensors = new LinkedHashMap<>();
        tensors.put("mean", new CachedTensor(List.of(2L, 3L), values));
        tensors.put("length", new CachedTensor(List.of(), new float[] {7}));
        return tensors;
    }

    private static int[] bits(CachedTensor tensor) {
        int[] bits = new int[tensor.values().length];
        for (int i = 0; i < bits.length; i++) bits[i] = Float.floatToRawIntBits(tensor.values()[i]);
        return bits;
    }

    private static Map<String, CachedTensor> mustNotRun() {
        throw new AssertionError("computed although nothing changed");
    }
}
