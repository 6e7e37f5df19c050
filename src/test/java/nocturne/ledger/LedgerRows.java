package nocturne.ledger;

import java.io.File;
import java.io.IOException;
import java.lang.reflect.Method;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The rows of the ledger and the tests that claim them, as the table in `docs/ledger.md` shows them.
///
/// @param rows  in the order of the table
/// @param tests names of the tests that honour a row, by its id
record LedgerRows(List<Row> rows, Map<String, TreeSet<String>> tests) {
    private static final Path ROWS = Path.of("src/test/resources/nocturne/ledger/rows.txt");

    /// @param otherwise what is said where no test honours it
    record Row(String id, String kind, String demand, String otherwise) {
        boolean isJudgedOrDefault() {
            return kind.contains("RULE") || kind.contains("DEF");
        }
    }

    static LedgerRows read() throws IOException, URISyntaxException, ClassNotFoundException {
        List<Row> rows = new ArrayList<>();
        for (String line : Files.readAllLines(ROWS)) {
            if (line.startsWith("#")) continue;
            String[] cells = line.split("\\s*\\|\\s*");
            rows.add(new Row(cells[0], cells[1], cells[2], cells.length > 3 ? cells[3] : "not yet"));
        }
        Map<String, TreeSet<String>> tests = new TreeMap<>();
        for (Class<?> type : testClasses()) {
            for (Method method : type.getDeclaredMethods()) {
                Ledger claim = method.getAnnotation(Ledger.class);
                if (claim == null) continue;
                for (String id : claim.value()) {
                    tests.computeIfAbsent(id, _ -> new TreeSet<>()).add(type.getSimpleName() + "." + method.getName());
                }
            }
        }
        return new LedgerRows(List.copyOf(rows), tests);
    }

    String page() {
        StringBuilder page = new StringBuilder("""
                # The ledger

                What the documents that this program was made from demand, row by row, and the tests that show it
                honoured. Rules, notices and events name these ids; `i_know` in a recipe takes them.

                S1 is the essay, S2 the training guide, X their contradictions and how they are ruled, B the tables of
                the dialect. RULE: judged. DEF: a default. FEAT: a feature. REP: told in report or events. DOC:
                documentation. INFO: nothing is asked.

                Made from the annotations of the tests; `mvn test -Dtest=LedgerRowsTest -Dledger.write=true` writes it.

                """);
        long honoured = rows.stream().filter(row -> tests.containsKey(row.id())).count();
        page.append("%d rows, %d of them shown by tests.%n%n".formatted(rows.size(), honoured));
        page.append("| id | kind | demand | honoured by |\n| --- | --- | --- | --- |\n");
        for (Row row : rows) {
            String where = tests.containsKey(row.id())
                    ? tests.get(row.id()).stream().map("`%s`"::formatted).collect(Collectors.joining(", "))
                    : row.otherwise();
            page.append("| %s | %s | %s | %s |%n".formatted(row.id(), row.kind(), row.demand(), where));
        }
        return page.toString();
    }

    /// Loaded, but not initialised: what a class does when it is first used is no business of ours.
    private static List<Class<?>> testClasses() throws IOException, URISyntaxException, ClassNotFoundException {
        Path root = Path.of(LedgerRows.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        List<Class<?>> classes = new ArrayList<>();
        try (Stream<Path> files = Files.walk(root.resolve("nocturne"))) {
            for (Path file : files.filter(path -> path.toString().endsWith(".class")).sorted().toList()) {
                String name = root.relativize(file).toString().replaceFirst("\\.class$", "")
                        .replace(File.separatorChar, '.');
                classes.add(Class.forName(name, false, LedgerRows.class.getClassLoader()));
            }
        }
        return classes;
    }
}
