package nocturne.bundle;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import nocturne.bundle.HostileZips.Sample;
import nocturne.io.ContentHash;
import nocturne.promise.Promise;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// All tricks at once, against one process with 256 MB: the way the service meets them.
class HostileCorpusTest {
    @TempDir
    Path folder;

    @Test
    @Promise(row = 5, fault = "some seventy zips, each with a trick to write elsewhere or to look different to others")
    @Promise(row = 6, fault = "flat, nested, overlapping, quoted and lying bombs, in a process with -Xmx256m")
    void everyHostileZipIsRefusedInTimeAndLeavesNothingBehind() throws Exception {
        List<Sample> samples = HostileZips.all();
        Path zips = Files.createDirectories(folder.resolve("zips"));
        Path work = Files.createDirectories(folder.resolve("work"));
        Files.writeString(folder.resolve("canary"), "untouched");
        for (int i = 0; i < samples.size(); i++) Files.write(zips.resolve("%03d".formatted(i)), samples.get(i).zip());
        Map<String, String> before = everythingIn(folder);
        List<String> answers = run(zips, work);
        assertThat(answers).hasSameSizeAs(samples);
        SoftAssertions.assertSoftly(softly -> {
            for (int i = 0; i < answers.size(); i++) {
                String[] answer = answers.get(i).split("\t", 4);
                softly.assertThat(answer[3]).as(samples.get(i).name()).startsWith("BUNDLE_IN")
                        .contains(samples.get(i).reason());
                softly.assertThat(Long.parseLong(answer[1])).as("milliseconds: " + samples.get(i).name())
                        .isLessThan(5000);
                softly.assertThat(Long.parseLong(answer[2])).as("bytes on the disk: " + samples.get(i).name())
                        .isLessThan(SmallHeapRun.MOST_BYTES + (1 << 20));
            }
        });
        assertThat(everythingIn(folder)).isEqualTo(before);
    }

    /// What honest tools make, odd as it may look, is taken.
    @Test
    void zipsOfHonestToolsAreTaken() throws Exception {
        RawZip streamed = new RawZip();
        RawZip.Entry entry = streamed.deflated("a.png", HostileZipTest.noise(5000));
        entry.flags |= 1 << 3;
        entry.localFlags |= 1 << 3;
        entry.localCrc = 0;
        entry.localUnpacked = 0;
        entry.after = RawZip.little(16).putInt(0x08074b50).putInt((int) entry.crc).putInt((int) entry.packed)
                .putInt((int) entry.unpacked).array();
        RawZip wide = new RawZip();
        wide.stored("a.png", "x");
        wide.wide = true;
        RawZip commented = new RawZip();
        commented.stored("a.png", "x");
        commented.comment = HostileZipTest.noise(0xffff);
        RawZip plain = new RawZip();
        plain.stored("\u65e5\u672c\u8a9e/\u5199\u771f 1.png", "x").mode = 0;
        plain.stored("\u65e5\u672c\u8a9e/\u5199\u771f 1.txt", "");
        plain.stored("console.txt", "not a device");
        Path zips = Files.createDirectories(folder.resolve("zips"));
        int number = 0;
        for (RawZip zip : List.of(streamed, wide, commented, plain)) {
            Files.write(zips.resolve("%03d".formatted(number++)), zip.bytes());
        }
        assertThat(run(zips, folder.resolve("work"))).hasSize(4).allMatch(answer -> answer.endsWith("\tTAKEN"));
    }

    private List<String> run(Path zips, Path work) throws IOException, InterruptedException {
        Path out = folder.resolveSibling(folder.getFileName() + "-out.txt");
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m", "-XX:+ExitOnOutOfMemoryError", "-cp", System.getProperty("java.class.path"),
                SmallHeapRun.class.getName(), zips.toString(), work.toString())
                .redirectErrorStream(true).redirectOutput(out.toFile()).start();
        try {
            assertThat(process.waitFor(3, TimeUnit.MINUTES)).as("ended").isTrue();
            assertThat(process.exitValue()).as(Files.readString(out)).isZero();
            return Files.readAllLines(out);
        } finally {
            process.destroyForcibly().waitFor();
            Files.deleteIfExists(out);
        }
    }

    private static Map<String, String> everythingIn(Path folder) throws IOException {
        Map<String, String> found = new TreeMap<>();
        List<Path> all = new ArrayList<>();
        try (Stream<Path> paths = Files.walk(folder)) {
            paths.forEach(all::add);
        }
        for (Path path : all) {
            found.put(folder.relativize(path).toString(), Files.isRegularFile(path) ? ContentHash.ofFile(path) : "");
        }
        return found;
    }
}
