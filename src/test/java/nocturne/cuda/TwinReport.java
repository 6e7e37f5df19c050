package nocturne.cuda;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import nocturne.promise.RunNotes;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestPlan;

/// Writes `target/twins.md` when the tests have ended: which operation was compared by which tests, as far as they were
/// run, by all JVMs of a run. Found by JUnit through `META-INF/services`.
public final class TwinReport implements TestExecutionListener {
    private static final Path REPORT = Path.of("target", "twins.md");

    private final RunNotes<TwinList.Note> notes = RunNotes.ofThisRun(Path.of("target", "twins"), TwinList.Note.class);

    @Override
    public void testPlanExecutionFinished(TestPlan finished) {
        List<TwinList.Note> seen = TwinList.ofThisRun().notes();
        if (seen.isEmpty()) return;
        notes.add(seen, all -> Files.writeString(REPORT, TwinList.of(all).text()));
    }
}
