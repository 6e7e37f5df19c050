package nocturne.bundle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import nocturne.problem.UserMistake;
import nocturne.promise.Promise;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipArchiveOutputStream;
import org.apache.commons.compress.utils.SeekableInMemoryByteChannel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// A zip from a stranger: it is refused with a reason, and nothing of it stays, inside or outside the work folder.
class HostileZipTest {
    private static final BundleLimits SMALL = new BundleLimits(20, 4 << 20, 6 << 20, 50, Duration.ofMinutes(1));

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "../evil.png          | leads out of the bundle",
        "a/../../evil.png     | leads out of the bundle",
        "a/..                 | leads out of the bundle",
        "/etc/evil.png        | absolute path",
        "//host/evil.png      | absolute path",
        "C:/evil.png          | absolute path",
        "c:evil.png           | absolute path",
        "a/b:stream.png       | colon",
        "a//b.png             | empty part",
        "./b.png              | empty part",
        "a/b\\..\\..\\evil.png | backslash"
    })
    void namesThatLeaveTheFolderAreRefused(String name, String reason) {
        assertRefused(zip(new Entry(name, "x")), reason);
    }

    @Test
    void controlCharactersInANameAreRefusedAndNotRepeated() {
        UserMistake mistake = refusalOf(zip(new Entry("a\u0000b\u001b[31m.png", "x")), BundleLimits.STANDARD);
        assertThat(mistake.report()).contains("control characters").doesNotContain("\u001b", "\u0000");
    }

    @Test
    void pathsTooLongForAFileSystemAreRefused() {
        assertRefused(zip(new Entry("a".repeat(256) + ".png", "x")), "name that is too long");
        assertRefused(zip(new Entry("a/".repeat(40) + "b.png", "x")), "path that is too long");
    }

    @ParameterizedTest
    @CsvSource({"0120777, symbolic link", "0020666, neither a file nor", "0060666, neither a file nor",
            "0010644, neither a file nor"})
    void linksDevicesAndPipesAreRefused(String octal, String reason) {
        assertRefused(zip(new Entry("a.png", "/etc/passwd", Integer.parseInt(octal, 8))), reason);
    }

    @ParameterizedTest
    @CsvSource({"a/b.png, A/B.png", "a/straße.png, a/STRASSE.png", "a/\u00e9.png, a/e\u0301.png"})
    void namesThatSomeFileSystemTakesForTheSameAreRefused(String one, String other) {
        assertRefused(zip(new Entry(one, "1"), new Entry(other, "2")), "but for upper and lower case");
    }

    @Test
    void aFileThatIsAlsoAFolderIsRefused() {
        assertRefused(zip(new Entry("a", "1"), new Entry("a/b.png", "2")), "a file and a folder at once");
    }

    @Test
    void theSameNameTwiceIsRefused() {
        byte[] zip = zip(new Entry("aa.png", "1"), new Entry("ab.png", "2"));
        assertRefused(replaceAll(zip, "ab.png", "aa.png"), "is there twice");
    }

    @Test
    void everyProblemIsToldAtOnce() {
        UserMistake mistake = refusalOf(zip(new Entry("../a.png", "1"), new Entry("/b.png", "2"),
                new Entry("c.png", "x", 0120777), new Entry("fine.png", "3")), BundleLimits.STANDARD);
        assertThat(mistake.problems()).hasSize(3).allMatch(problem -> problem.code().equals("BUNDLE_INVALID"));
    }

    @Test
    void tooManyEntriesAreRefused() {
        Entry[] many = IntStream.range(0, 21).mapToObj(i -> new Entry(i + ".txt", "x")).toArray(Entry[]::new);
        assertRefused(zip(many), SMALL, "holds 21 entries; at most 20");
    }

    @Test
    void aBombIsStoppedByItsRatioByItsSizeAndByTheSum() {
        String zeros = "\0".repeat(3 << 20);
        assertRefused(zip(new Entry("bomb.png", zeros)), SMALL, "more than 50 times its size");
        assertRefused(zip(new Entry("large.png", "\0".repeat((4 << 20) + 1))), SMALL, "at most 4,194,304 are allowed");
        Entry[] parts =
                IntStream.range(0, 3).mapToObj(i -> new Entry(i + ".png", noise(3 << 20))).toArray(Entry[]::new);
        assertRefused(zip(parts), SMALL, "unpacks to 9,437,184 bytes");
    }

    @Test
    @Promise(row = 6, fault = "a zip that takes longer than its time")
    void unpackingEndsAtItsDeadline() {
        BundleLimits hurried = new BundleLimits(20, 4 << 20, 6 << 20, 50, Duration.ofNanos(1));
        assertRefused(zip(new Entry("a.png", noise(1000))), hurried, "takes longer than is allowed");
    }

    /// Directory and header promise 10 bytes; the data inflate to 3 MiB. Sizes are counted, not believed.
    @Test
    void aBombThatLiesAboutItsSizeIsStopped() {
        byte[] zip = zip(new Entry("bomb.png", "\0".repeat(3 << 20)));
        int directory = indexOf(zip, new byte[] {'P', 'K', 1, 2});
        ByteBuffer.wrap(zip).order(ByteOrder.LITTLE_ENDIAN).putInt(directory + 24, 10).putInt(22, 10);
        assertRefused(zip, SMALL, "unpacks to more than it says");
    }

    @Test
    void twoEntriesOverTheSameBytesAreRefused() {
        byte[] zip = zip(new Entry("aa.png", "1"), new Entry("ab.png", "2"));
        int first = indexOf(zip, new byte[] {'P', 'K', 1, 2});
        int second = indexOf(zip, new byte[] {'P', 'K', 1, 2}, first + 1);
        ByteBuffer bytes = ByteBuffer.wrap(zip).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putInt(second + 42, bytes.getInt(first + 42));
        assertRefused(zip, "shares its bytes with another entry");
    }

    /// One program reads the directory at the end, another the headers on the way: they must not see different zips.
    @Test
    void aDirectoryThatContradictsTheLocalHeaderIsRefused() {
        byte[] zip = zip(new Entry("aa.png", "1"));
        int local = indexOf(zip, "aa.png".getBytes(StandardCharsets.US_ASCII));
        zip[local + 1] = 'b';
        assertRefused(zip, "has another name where its data begins");
    }

    @Test
    void encryptedEntriesAndExoticCompressionAreRefused() {
        byte[] encrypted = zip(new Entry("aa.png", "1"));
        encrypted[indexOf(encrypted, new byte[] {'P', 'K', 1, 2}) + 8] |= 1;
        assertRefused(encrypted, "is encrypted");
        byte[] exotic = zip(new Entry("aa.png", "1"));
        exotic[indexOf(exotic, new byte[] {'P', 'K', 1, 2}) + 10] = 93;
        assertRefused(exotic, "compression that is not supported");
    }

    @Test
    void aZipOfNothingButJunkIsRefused() {
        assertRefused(zip(new Entry("__MACOSX/a.png", "1"), new Entry(".DS_Store", "2")), "holds no files");
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.1, 0.5, 0.9, 0.999})
    void aZipThatIsStillBeingCopiedIsRefused(double share) {
        byte[] zip = zip(new Entry("a.png", noise(5000)), new Entry("b.png", noise(5000)));
        assertRefused(Arrays.copyOf(zip, (int) (zip.length * share)), "is not a whole zip");
    }

    @Test
    void changedBytesNeverEndInAnythingButAMistakeOrABundle() {
        byte[] zip = zip(new Entry("a/one.png", noise(200)), new Entry("a/one.txt", "hello hello hello"),
                new Entry("recipe.yaml", "job: extension"));
        SplittableRandom random = new SplittableRandom(11);
        int refused = 0;
        for (int round = 0; round < 150; round++) {
            byte[] changed = zip.clone();
            for (int i = 0; i <= random.nextInt(3); i++) {
                changed[random.nextInt(4, zip.length)] = (byte) random.nextInt(256);
            }
            try {
                Bundle.open(write("fuzz.zip", changed), folder.resolve("fuzz"), SMALL);
            } catch (UserMistake mistake) {
                refused++;
            }
        }
        assertThat(refused).isBetween(30, 150);
        assertNothingOutside("fuzz", "fuzz.zip");
    }

    private void assertRefused(byte[] zip, String reason) {
        assertRefused(zip, BundleLimits.STANDARD, reason);
    }

    private void assertRefused(byte[] zip, BundleLimits limits, String reason) {
        assertThat(refusalOf(zip, limits).report()).contains(reason);
    }

    private UserMistake refusalOf(byte[] zip, BundleLimits limits) {
        Path file = write("hostile.zip", zip);
        Path work = folder.resolve("work");
        UserMistake mistake = catchThrowableOfType(UserMistake.class, () -> Bundle.open(file, work, limits));
        assertThat(mistake).as("refusal").isNotNull();
        assertThat(work).isEmptyDirectory();
        assertNothingOutside("work", "hostile.zip");
        return mistake;
    }

    private void assertNothingOutside(String... expected) {
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.map(file -> file.getFileName().toString())).containsExactlyInAnyOrder(expected);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path write(String name, byte[] bytes) {
        try {
            return Files.write(folder.resolve(name), bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    record Entry(String name, byte[] content, int mode) {
        Entry(String name, String content) {
            this(name, content, 0100644);
        }

        Entry(String name, String content, int mode) {
            this(name, content.getBytes(StandardCharsets.UTF_8), mode);
        }

        Entry(String name, byte[] content) {
            this(name, content, 0100644);
        }
    }

    static byte[] zip(Entry... entries) {
        SeekableInMemoryByteChannel channel = new SeekableInMemoryByteChannel();
        try (ZipArchiveOutputStream out = new ZipArchiveOutputStream(channel)) {
            for (Entry entry : entries) {
                ZipArchiveEntry header = new ZipArchiveEntry(entry.name());
                header.setUnixMode(entry.mode());
                out.putArchiveEntry(header);
                out.write(entry.content());
                out.closeArchiveEntry();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(channel.array(), 0, (int) channel.size());
        return bytes.toByteArray();
    }

    static byte[] noise(int length) {
        byte[] bytes = new byte[length];
        new SplittableRandom(length).nextBytes(bytes);
        return bytes;
    }

    private static byte[] replaceAll(byte[] bytes, String what, String with) {
        byte[] result = bytes.clone();
        byte[] target = what.getBytes(StandardCharsets.US_ASCII);
        for (int at = indexOf(result, target); at >= 0; at = indexOf(result, target, at + 1)) {
            System.arraycopy(with.getBytes(StandardCharsets.US_ASCII), 0, result, at, target.length);
        }
        return result;
    }

    private static int indexOf(byte[] bytes, byte[] what) {
        return indexOf(bytes, what, 0);
    }

    private static int indexOf(byte[] bytes, byte[] what, int from) {
        for (int at = from; at + what.length <= bytes.length; at++) {
            if (Arrays.equals(bytes, at, at + what.length, what, 0, what.length)) return at;
        }
        return -1;
    }
}
