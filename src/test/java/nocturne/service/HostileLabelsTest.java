package nocturne.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import nocturne.io.ContentHash;
import nocturne.io.FolderTree;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.QuickFolder;
import nocturne.job.WorkFolder;
import nocturne.problem.Problem;
import nocturne.promise.Promise;
import org.junit.jupiter.api.Test;

/// What strangers call things never becomes a path, and never breaks a line.
class HostileLabelsTest {
    private static final List<String> PIECES = List.of("../", "..\\", "/", "\\", "etc/passwd", "C:", "con", "nul.zip",
            "\u0000", "\n", "\r\n", "\u001b[31m", "\u202e", "\u2028", "\ud800", "\ufeff", "%2e%2e%2f", "${HOME}",
            "~", "*", "|sh", ";rm -rf", "maya", "Ä", "ß", "日本", "😀", ".", "..", " ", "-", "_", "a", "7", "'", "\"", "{",
            "$(x)", "@", "--", "\t", "ﬁ", "İ", "x".repeat(300), "\u0301");

    private static final int MANY = 400;

    @Property(tries = 10_000)
    @Promise(row = 34, fault = "10,000 hostile names for bundles and ids")
    void aNameGivesASafeId(@ForAll String any, @ForAll long seed) {
        WorkFolder work = new WorkFolder(Path.of("/srv/work"));
        for (String label : List.of(any, label(new Random(seed)))) {
            JobId id = JobId.of(label, ContentHash.ofBytes(label.getBytes(StandardCharsets.UTF_8)));
            for (JobId each : List.of(id, id.again(2), id.again(1_000_000))) {
                assertThat(each.text()).matches("[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?");
                assertThat(work.job(each).getParent()).isEqualTo(work.jobs());
            }
            if (JobId.isValid(label)) assertThat(work.job(new JobId(label)).getParent()).isEqualTo(work.jobs());
            assertThat(Wording.name(label)).hasSizeBetween(1, Wording.LONGEST_NAME)
                    .doesNotContainPattern("[\\p{Cntrl}\\p{Cs}\u2028\u2029\u202a-\u202e]");
        }
    }

    /// Through the whole intake, into `job.json` and the journal.
    @Test
    @Promise(row = 34, fault = "400 hostile names, origins, ids and models through the intake")
    @Promise(row = 8, fault = "400 hostile names, origins, ids and models through the intake")
    @Promise(row = 41, fault = "control characters and marks of direction in names and origins")
    void nothingIsWrittenOutsideAndEveryLineStaysALine() throws IOException {
        long seed = Long.getLong("seed", System.nanoTime());
        System.out.println("seed=" + seed);
        Random random = new Random(seed);
        Path folder = QuickFolder.create();
        try (IntakeCase its = new IntakeCase(folder.resolve("service"))) {
            Path zip = its.zip("maya");
            Set<Path> outside = tree(folder, its.work.root());
            for (int i = 0; i < MANY; i++) {
                Incoming bundle = new Incoming(zip, label(random), label(random), random.nextInt(4) == 0
                        ? label(random) : null, random.nextInt(4) == 0 ? label(random) : null, 0, true, null);
                Job job = random.nextBoolean() ? IntakeCase.job(its.intake.take(bundle))
                        : IntakeCase.job(its.intake.refuse(bundle,
                                List.of(new Problem("X", label(random), label(random)))));
                assertThat(its.work.job(job.id())).isDirectory();
                assertThat(job.code()).as(job.message()).isNotEqualTo("BUG");
            }
            assertThat(tree(folder, its.work.root())).isEqualTo(outside);
            for (String name : its.work.jobs().toFile().list()) assertThat(name).matches("[a-z0-9-]+");
            assertThat(its.oracle.checkRecovered()).hasSize(MANY);
        } finally {
            FolderTree.delete(folder);
        }
    }

    private static Set<Path> tree(Path root, Path except) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            Set<Path> found = new TreeSet<>();
            files.filter(file -> !file.startsWith(except) && Files.exists(file, LinkOption.NOFOLLOW_LINKS))
                    .forEach(found::add);
            return found;
        }
    }

    private static String label(Random random) {
        StringBuilder label = new StringBuilder();
        for (int i = random.nextInt(8); i >= 0; i--) label.append(PIECES.get(random.nextInt(PIECES.size())));
        return label.toString();
    }
}
