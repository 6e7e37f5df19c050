package nocturne.service.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import nocturne.io.ContentHash;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import nocturne.service.BundleSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/// What tests of every source need: a zip, its hash, a folder to fetch into, and how to say that it was refused.
abstract class SourceCase {
    static final byte[] ZIP = zip();
    static final String SHA256 = ContentHash.ofBytes(ZIP);

    @TempDir
    Path folder;

    Path into;

    @BeforeEach
    void makeFolder() throws IOException {
        into = Files.createDirectory(folder.resolve("incoming"));
    }

    /// What it holds does not matter here, as long as it is not all the same.
    private static byte[] zip() {
        byte[] bytes = new byte[200_000];
        new SplittableRandom(5).nextBytes(bytes);
        return bytes;
    }

    static SourceConfig config(List<Path> roots, List<String> hosts, List<String> internal, List<String> insecure) {
        return new SourceConfig(roots, hosts, internal, insecure, 1 << 20, Duration.ofSeconds(30),
                Duration.ofSeconds(10), 1);
    }

    void brings(BundleSource source, String uri) throws IOException {
        Path fetched = source.fetch(URI.create(uri), SHA256, into);
        assertThat(fetched).startsWith(into).hasBinaryContent(ZIP);
        Files.delete(fetched);
    }

    /// @return all that was said
    String refuses(BundleSource source, String uri, String sha256, String code) {
        Throwable answer = catchThrowable(() -> source.fetch(URI.create(uri), sha256, into));
        assertThat(answer).as(uri).isInstanceOfSatisfying(UserMistake.class, mistake ->
                assertThat(mistake.problems()).extracting(problem -> problem.code()).containsExactly(code));
        assertThat(into).as("what is left of %s", uri).isEmptyDirectory();
        return ((UserMistake) answer).report();
    }

    String refuses(BundleSource source, String uri, String code) {
        return refuses(source, uri, SHA256, code);
    }

    /// That it may be tried again.
    String putsOff(BundleSource source, String uri, String code) {
        Throwable answer = catchThrowable(() -> source.fetch(URI.create(uri), SHA256, into));
        assertThat(answer).as(uri).isInstanceOfSatisfying(SickMachine.class,
                machine -> assertThat(machine.code()).isEqualTo(code));
        assertThat(into).as("what is left of %s", uri).isEmptyDirectory();
        return answer.getMessage();
    }
}
