package nocturne.bundle;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import nocturne.job.JobId;
import nocturne.problem.UserMistake;
import nocturne.promise.Promise;

/// Names are made of what attackers use and what people use, in any order.
class NamesFromOutsideTest {
    private static final String HASH = "0123456789abcdef".repeat(4);

    @Property(tries = 10_000)
    @Promise(row = 34, fault = "10,000 hostile names of files in a bundle")
    void aNameInABundleIsRefusedOrStaysInItsFolder(@ForAll("hostile") String raw) {
        if (EntryName.objection(raw).isPresent()) return;
        Path root = Path.of("/work/jobs/maya-01234567/bundle");
        Path path = root.resolve(EntryName.of(raw).path());
        assertThat(path).isEqualTo(path.normalize());
        assertThat(path.startsWith(root)).isTrue();
        assertThat(path.getNameCount()).isGreaterThan(root.getNameCount());
        assertThat(EntryName.of(raw).parts()).noneMatch(part -> part.matches("[. ]*|.*[. ]|.*[:\\\\\\p{Cntrl}].*"));
    }

    @Property(tries = 10_000)
    @Promise(row = 34, fault = "10,000 hostile names of bundles")
    void aBundlesNameBecomesAnIdThatIsAPlainFileName(@ForAll("hostile") String name) {
        assertThat(JobId.of(name, HASH).text()).matches("[a-z0-9][a-z0-9-]*").hasSizeLessThanOrEqualTo(64)
                .endsWith("-01234567");
        assertThat(JobId.of(name, HASH).again(12345).text()).matches("[a-z0-9][a-z0-9-]*");
    }

    /// The whole way: a zip whose entry has the name is taken or refused, and nothing is anywhere else afterwards.
    @Property(tries = 300)
    @Promise(row = 34, fault = "300 zips with a hostile name each")
    @Promise(row = 41, fault = "300 refusals that quote a hostile name")
    void whateverAnEntryIsCalledItLandsInTheWorkFolderOrNowhere(@ForAll("hostile") String raw) throws IOException {
        Path folder = Files.createTempDirectory("names");
        try {
            RawZip zip = new RawZip();
            zip.stored(raw, "x");
            Path file = Files.write(folder.resolve("drop.zip"), zip.bytes());
            Path work = folder.resolve("work");
            try {
                Bundle bundle = Bundle.take(file, "drop", work, BundleLimits.STANDARD);
                assertThat(bundle.files()).hasSize(1);
                assertThat(bundle.root().startsWith(work)).isTrue();
            } catch (UserMistake mistake) {
                assertThat(mistake.report()).hasSizeLessThan(1000).doesNotContainPattern("[\\p{Cntrl}&&[^\\n]]")
                        .doesNotContain("\u202e", "\u2028", "\u009b");
                assertThat(work).isEmptyDirectory();
            }
            try (Stream<Path> top = Files.list(folder)) {
                assertThat(top).containsExactlyInAnyOrder(file, work);
            }
        } finally {
            delete(folder);
        }
    }

    @Provide
    Arbitrary<String> hostile() {
        Arbitrary<String> tricks = Arbitraries.of("..", ".", "/", "\\", "C:", "~", "$HOME", "%2e", "\0", "\n", "\r",
                "\u001b[2J", "\u202e", "\u2028", "\u009b", "\u200b", "\ufeff", "con", "NUL", "aux.txt", ":", " ", "*",
                "-rf", "`id`", "$(id)", "\ud800", "\uff0e\uff0e", "\u2215", "e\u0301", "a".repeat(200), "maya", ".png");
        Arbitrary<String> anything = Arbitraries.strings().ofMaxLength(5);
        return Arbitraries.oneOf(tricks, tricks, anything).list().ofMinSize(1).ofMaxSize(6)
                .map(parts -> String.join("", parts));
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) Files.delete(path);
        }
    }
}
