package nocturne.cuda;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestPlan;

/// Writes `target/twins.md` when the tests have ended: which operation was compared by which tests, as far as they were
/// run. Found by JUnit through `META-INF/services`.
public final class TwinReport implements TestExecutionListener {
    private static final Path REPORT = Path.of("target", "twins.md");

    @Override
    public void testPlanExecutionFinished(TestPlan finished) {
        if (TwinList.ofThisRun().isEmpty()) return;
        try {
            Files.createDirectories(REPORT.getParent());
            Files.writeString(REPORT, TwinList.ofThisRun().text());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
