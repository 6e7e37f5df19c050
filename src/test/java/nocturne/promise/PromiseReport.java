package nocturne.promise;

import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/// Writes `target/promises.md` when the tests have ended: every row of the promise table with the tests that prove it,
/// the faults they injected, what stood in for what was not there, and how they ended.
///
/// Found by JUnit through `META-INF/services`. It sees whatever was run, by all JVMs of a run (see [RunNotes]): after a
/// single test class, only that class's rows have a result.
public final class PromiseReport implements TestExecutionListener {
    private final Path table;
    private final Path report;
    private final RunNotes<Line> notes;
    private final Map<Method, Outcome> outcomes =
            new TreeMap<>(Comparator.comparing(PromiseReport::nameOf).thenComparing(Method::toString));
    private Optional<TestPlan> plan = Optional.empty();

    /// As JUnit makes it.
    public PromiseReport() {
        this(Path.of("docs/promises.md"), Path.of("target/promises.md"),
                RunNotes.ofThisRun(Path.of("target/promises"), Line.class));
    }

    PromiseReport(Path table, Path report, RunNotes<Line> notes) {
        this.table = table;
        this.report = report;
        this.notes = notes;
    }

    /// What one test says about one row.
    ///
    /// @param test   its name
    /// @param result how it ended, for people
    record Line(int row, String fault, String with, String test, String result, boolean passed, boolean failed) {}

    /// How the cases of one test method ended.
    private static final class Outcome {
        private int passed;
        private int failed;
        private final List<String> skipped = new ArrayList<>();

        boolean isKnown() {
            return passed + failed + skipped.size() > 0;
        }

        String text() {
            if (failed > 0) return "**failed**" + (passed > 0 ? " (%d of %d)".formatted(failed, failed + passed) : "");
            String reasons = skipped.stream().distinct().collect(Collectors.joining("; "));
            if (passed == 0) return "skipped: " + reasons;
            String cases = passed > 1 ? " (%d cases)".formatted(passed) : "";
            return "passed" + cases + (skipped.isEmpty() ? "" : ", %d skipped: %s".formatted(skipped.size(), reasons));
        }
    }

    @Override
    public void testPlanExecutionStarted(TestPlan started) {
        plan = Optional.of(started);
    }

    @Override
    public synchronized void executionSkipped(TestIdentifier identifier, String reason) {
        for (TestIdentifier test : withDescendants(identifier)) {
            promising(test).ifPresent(method -> outcome(method).skipped.add(reason));
        }
    }

    @Override
    public synchronized void executionFinished(TestIdentifier identifier, TestExecutionResult result) {
        String reason = result.getThrowable().map(Throwable::getMessage).orElse("aborted");
        switch (result.getStatus()) {
            case SUCCESSFUL -> {
                if (identifier.isTest()) promising(identifier).ifPresent(method -> outcome(method).passed++);
            }
            case ABORTED -> {
                for (TestIdentifier test : unheardOf(identifier)) {
                    promising(test).ifPresent(method -> outcome(method).skipped.add(reason));
                }
            }
            case FAILED -> {
                for (TestIdentifier test : unheardOf(identifier)) {
                    promising(test).ifPresent(method -> outcome(method).failed++);
                }
            }
        }
    }

    /// A test stands for itself; a class or a template that broke stands for its tests that never came to run.
    private List<TestIdentifier> unheardOf(TestIdentifier identifier) {
        if (identifier.isTest()) return List.of(identifier);
        return withDescendants(identifier).stream()
                .filter(test -> promising(test).filter(method -> !outcome(method).isKnown()).isPresent())
                .toList();
    }

    private List<TestIdentifier> withDescendants(TestIdentifier identifier) {
        List<TestIdentifier> all = new ArrayList<>(List.of(identifier));
        plan.ifPresent(known -> all.addAll(known.getDescendants(identifier)));
        return all;
    }

    @Override
    public synchronized void testPlanExecutionFinished(TestPlan finished) {
        List<Line> lines = new ArrayList<>();
        for (Map.Entry<Method, Outcome> test : outcomes.entrySet()) {
            Outcome outcome = test.getValue();
            for (Promise promise : test.getKey().getAnnotationsByType(Promise.class)) {
                lines.add(new Line(promise.row(), promise.fault(), promise.with(), nameOf(test.getKey()),
                        outcome.text(), outcome.passed > 0, outcome.failed > 0));
            }
        }
        outcomes.clear();
        notes.add(lines, all -> {
            Files.createDirectories(report.toAbsolutePath().getParent());
            Files.writeString(report, text(PromiseTable.read(table), all));
        });
    }

    private static String text(PromiseTable promises, List<Line> said) {
        StringBuilder lines = new StringBuilder();
        int tested = 0;
        int kept = 0;
        for (PromiseTable.Row row : promises.rows()) {
            List<Line> tests = said.stream().filter(line -> line.row == row.number())
                    .sorted(Comparator.comparing(Line::test)).toList();
            boolean failed = tests.stream().anyMatch(Line::failed);
            boolean passed = tests.stream().anyMatch(Line::passed);
            if (passed || failed) tested++;
            if (passed && !failed) kept++;
            if (tests.isEmpty()) line(lines, row, "", "", "", "no test");
            for (Line test : tests) line(lines, row, test.fault, test.with, "`" + test.test + "`", test.result);
        }
        return """
                # Promises, as tested

                %d promises, %d with a test that ran, %d of them kept. What they mean: docs/promises.md.
                "Stand-in" names what took the place of hardware or hosts that were not there; empty where all was real.

                | row | promise | fault injected | stand-in | test | result |
                | --: | --- | --- | --- | --- | --- |
                """.formatted(promises.rows().size(), tested, kept) + lines;
    }

    private static void line(StringBuilder lines, PromiseTable.Row row, String fault, String with, String test,
            String result) {
        lines.append("| ").append(row.number());
        for (String cell : List.of(row.promise(), fault, with, test, result)) {
            lines.append(" | ").append(cell.replaceAll("\\s+", " ").replaceAll("(?<!\\\\)\\|", "\\\\|"));
        }
        lines.append(" |\n");
    }

    private Outcome outcome(Method test) {
        return outcomes.computeIfAbsent(test, _ -> new Outcome());
    }

    private static Optional<Method> promising(TestIdentifier identifier) {
        return identifier.getSource()
                .filter(MethodSource.class::isInstance)
                .map(source -> ((MethodSource) source).getJavaMethod())
                .filter(method -> method.getAnnotationsByType(Promise.class).length > 0);
    }

    private static String nameOf(Method test) {
        String type = test.getDeclaringClass().getName();
        return type.substring(type.lastIndexOf('.') + 1).replace('$', '.') + "." + test.getName();
    }
}
