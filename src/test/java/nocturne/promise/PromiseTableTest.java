package nocturne.promise;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// The table people read and the rows that tests claim to prove belong together.
class PromiseTableTest {
    private final PromiseTable table = PromiseTable.read(Path.of("docs/promises.md"));

    @Test
    void theTableHasAllRowsInOrderAndNoEmptyCell() {
        assertThat(table.rows()).extracting(PromiseTable.Row::number)
                .containsExactlyElementsOf(IntStream.rangeClosed(1, 48).boxed().toList());
        assertThat(table.rows()).allSatisfy(row ->
                assertThat(List.of(row.promise(), row.mechanism(), row.test())).noneMatch(String::isBlank));
    }

    @Test
    void everyTestThatClaimsToProveARowNamesOneThatExists() throws Exception {
        List<Promise> claims = testClasses().stream().flatMap(type -> Stream.of(type.getDeclaredMethods()))
                .flatMap(method -> Stream.of(method.getAnnotationsByType(Promise.class)))
                .toList();
        assertThat(claims).as("promises claimed by tests").isNotEmpty().allSatisfy(claim -> {
            assertThat(table.byNumber()).containsKey(claim.row());
            assertThat(claim.fault()).isNotBlank();
        });
    }

    /// Loaded, but not initialised: what a class does when it is first used is no business of ours.
    private static List<Class<?>> testClasses() throws IOException, URISyntaxException, ClassNotFoundException {
        Path root = Path.of(PromiseTableTest.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        List<Class<?>> classes = new ArrayList<>();
        try (Stream<Path> files = Files.walk(root.resolve("nocturne"))) {
            for (Path file : files.filter(path -> path.toString().endsWith(".class")).toList()) {
                String name = root.relativize(file).toString().replaceFirst("\\.class$", "")
                        .replace(File.separatorChar, '.');
                classes.add(Class.forName(name, false, PromiseTableTest.class.getClassLoader()));
            }
        }
        return classes;
    }
}
