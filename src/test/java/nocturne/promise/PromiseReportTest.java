package nocturne.promise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.core.LauncherConfig;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/// Real tests, run by a launcher of our own, whose report is read.
class PromiseReportTest {
    @TempDir
    Path folder;

    @Test
    void everyRowIsListedWithItsTestsTheirFaultsAndHowTheyEnded() throws IOException {
        Path table = Files.writeString(folder.resolve("table.md"), """
                Some words.
                | row | promise | how | test |
                | --: | --- | --- | --- |
                | 1 | It holds. | a | b |
                | 2 | It breaks. | a | b |
                | 3 | It waits. | a | b |
                | 4 | Nobody looked. | a | b |
                """);
        assertThat(reportOf(table, Samples.class, DisabledSamples.class, BrokenSamples.class)).containsExactly(
                "| 1 | It holds. | a \\| b | scripted feed | `PromiseReportTest.Samples.holds` | passed (2 cases) |",
                "| 1 | It holds. | c |  | `PromiseReportTest.Samples.holdsToo` | passed |",
                "| 2 | It breaks. | never started |  | `PromiseReportTest.BrokenSamples.neverRuns` | **failed** |",
                "| 2 | It breaks. | two things |  | `PromiseReportTest.Samples.breaks` | **failed** (1 of 2) |",
                "| 3 | It waits. | none |  | `PromiseReportTest.DisabledSamples.waits` | skipped: not today |",
                "| 3 | It waits. | d |  | `PromiseReportTest.Samples.holdsToo` | passed |",
                "| 3 | It waits. | none |  | `PromiseReportTest.Samples.needsWhatIsNotThere` "
                        + "| skipped: Assumption failed: no GPU |",
                "| 4 | Nobody looked. |  |  |  | no test |");
    }

    private List<String> reportOf(Path table, Class<?>... tests) throws IOException {
        Path report = folder.resolve("deep/report.md");
        Launcher launcher = LauncherFactory.create(
                LauncherConfig.builder().enableTestExecutionListenerAutoRegistration(false).build());
        for (Class<?> test : tests) {
            // Each as a JVM of the run sees it.
            launcher.execute(LauncherDiscoveryRequestBuilder.request().selectors(selectClass(test)).build(),
                    new PromiseReport(table, report, new RunNotes<>(folder.resolve("notes"), "run",
                            PromiseReport.Line.class)));
        }
        assertThat(report).content().contains("4 promises, 3 with a test that ran, 2 of them kept");
        return Files.readAllLines(report).stream().filter(line -> line.matches("\\| \\d+ .*")).toList();
    }

    static class Samples {
        @ParameterizedTest
        @ValueSource(ints = {1, 2})
        @Promise(row = 1, fault = "a | b", with = "scripted feed")
        void holds(int number) {
            assertThat(number).isPositive();
        }

        @Test
        @Promise(row = 1, fault = "c")
        @Promise(row = 3, fault = "d")
        void holdsToo() {}

        @ParameterizedTest
        @ValueSource(ints = {1, 2})
        @Promise(row = 2, fault = "two\nthings")
        void breaks(int number) {
            assertThat(number).isOne();
        }

        @Test
        @Promise(row = 3, fault = "none")
        void needsWhatIsNotThere() {
            assumeTrue(false, "no GPU");
        }
    }

    @Disabled("not today")
    static class DisabledSamples {
        @Test
        @Promise(row = 3, fault = "none")
        void waits() {}
    }

    static class BrokenSamples {
        @BeforeAll
        static void breakDown() {
            fail("before anything");
        }

        @Test
        @Promise(row = 2, fault = "never started")
        void neverRuns() {}
    }
}
