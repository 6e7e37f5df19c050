package nocturne.promise;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.nio.file.Path;
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
    void everyTestThatClaimsToProveARowNamesOneThatExists() {
        JavaClasses tests = new ClassFileImporter().withImportOption(ImportOption.Predefined.ONLY_INCLUDE_TESTS)
                .importPackages("nocturne");
        List<Promise> claims = tests.stream().flatMap(type -> type.getMethods().stream())
                .flatMap(method -> Stream.concat(
                        method.tryGetAnnotationOfType(Promise.class).stream(),
                        method.tryGetAnnotationOfType(Promises.class).stream().flatMap(all -> Stream.of(all.value()))))
                .toList();
        assertThat(claims).as("promises claimed by tests").isNotEmpty().allSatisfy(claim -> {
            assertThat(table.byNumber()).containsKey(claim.row());
            assertThat(claim.fault()).isNotBlank();
        });
    }
}
