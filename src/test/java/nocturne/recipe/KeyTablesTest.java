package nocturne.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import nocturne.ledger.Ledger;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// The tables are whole: no name twice, every default readable, every key explained, every key of the dialect judged.
class KeyTablesTest {
    static Stream<Block> blocks() {
        return inside(RootKeys.ROOT);
    }

    private static Stream<Block> inside(Block block) {
        return Stream.concat(Stream.of(block), block.blocks().stream().flatMap(KeyTablesTest::inside));
    }

    @ParameterizedTest
    @MethodSource("blocks")
    void noNameMeansTwoThings(Block block) {
        List<String> names = new ArrayList<>();
        for (Key<?> key : block.keys()) names.addAll(key.names());
        for (Block inner : block.blocks()) names.add(inner.name());
        for (Unused row : block.unused()) for (String name : row.names()) names.add(Unused.name(name));
        assertThat(names).doesNotHaveDuplicates();
    }

    @TestFactory
    Stream<DynamicTest> everyKeyIsExplainedAndItsDefaultReadsBack() {
        return blocks().flatMap(block -> block.keys().stream()
                .map(key -> DynamicTest.dynamicTest(block.name() + "." + key.name(), () -> check(key))));
    }

    private static <T> void check(Key<T> key) {
        assertThat(key.meaning()).endsWith(".");
        assertThat(key.advice())
                .satisfiesAnyOf(advice -> assertThat(advice).isEmpty(), advice -> assertThat(advice).endsWith("."));
        assertThat(key.why()).as("why").endsWith(".");
        for (T value : key.working()) readsBack(key, value);
        Optional<T> standard = key.standard();
        if (standard.isEmpty()) return;
        assertThat(key.basis()).as("why this default").isNotEmpty();
        readsBack(key, standard.get());
    }

    private static <T> void readsBack(Key<T> key, T value) {
        Findings findings = new Findings("table");
        Node printed = RecipeSource.parse(key.kind().print(value), "table.yaml", findings);
        assertThat(key.kind().read(printed, key.name(), "", findings)).contains(value);
    }

    /// The names of the dialect, block by block, as its own documentation and web interface list them.
    @ParameterizedTest
    @MethodSource("dialect")
    @Ledger({"B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8"})
    void everyKeyOfTheDialectIsJudged(String block, List<String> names) {
        Block table = blocks().filter(candidate -> candidate.name().equals(block)).findFirst().orElseThrow();
        assertThat(names)
                .allSatisfy(name -> assertThat(table.knows(name)).as("%s.%s", block, name).isTrue());
    }

    static Stream<Arguments> dialect() throws IOException {
        Map<String, List<String>> names = new LinkedHashMap<>();
        List<String> current = new ArrayList<>();
        for (String line : Files.readAllLines(Path.of("src/test/resources/nocturne/recipe/dialect-keys.txt"))) {
            if (line.endsWith(":")) {
                current = new ArrayList<>();
                names.put(line.equals("(top):") ? "" : line.substring(0, line.length() - 1), current);
            } else {
                current.addAll(List.of(line.strip().split(" ")));
            }
        }
        return names.entrySet().stream().map(entry -> Arguments.of(entry.getKey(), entry.getValue()));
    }
}
