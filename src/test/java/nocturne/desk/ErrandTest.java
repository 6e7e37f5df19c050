package nocturne.desk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.stream.Stream;
import nocturne.event.Event;
import nocturne.io.AtomicFiles;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.job.Ledger;
import nocturne.job.WorkFolder;
import nocturne.problem.UserMistake;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Wishes about jobs, left in the inbox; the service that would obey them is played by the test.
final class ErrandTest {
    private static final String HASH = "0123456789abcdef".repeat(4);
    private static final JobId MAYA = JobId.of("maya", HASH);

    @TempDir
    private Path folder;

    private WorkFolder work;
    private final StringWriter said = new StringWriter();

    @BeforeEach
    void makeJob() throws IOException {
        work = new WorkFolder(folder.resolve("work"));
        try (Ledger ledger = open()) {
            Path prepared = Files.createDirectories(work.incoming().resolve("maya"));
            ledger.add(prepared, Job.queued(MAYA, "maya", "test", HASH, "bundle", null, 0, "2026-11-21T12:00:00Z", 600,
                    20, null), new Event.Queued("maya", "test", HASH, 600, 20));
        }
    }

    @Test
    void aWishIsAFileThatAppearsWholeInTheInbox() throws IOException {
        errand(Duration.ZERO).cancel("maya");
        Path file = onlyFile();
        assertThat(file.getFileName().toString()).endsWith(".command.json").startsWith(MAYA + "-cancel-");
        assertThat(new ObjectMapper().readTree(file.toFile())).isEqualTo(JsonNodeFactory.instance.objectNode()
                .put("version", 1).put("command", "cancel").put("job", MAYA.text()));
    }

    @Test
    void withoutAServiceTheWishWaitsAndThatIsSaid() {
        errand(Duration.ofMinutes(1)).cancel("maya");
        assertThat(said.toString()).contains("no service is running here; it will be done when one starts");
    }

    @Test
    void withAServiceTheEffectIsSaid() throws InterruptedException {
        try (Ledger ledger = openLively()) {
            Thread service = Thread.ofVirtual().start(() -> {
                while (!Files.isDirectory(inbox()) || files().isEmpty()) Thread.onSpinWait();
                ledger.advance(MAYA, job -> job.in(JobState.CANCELLED, "CANCELLED", "as asked"),
                        new Event.Cancelled("as asked"));
            });
            errand(Duration.ofMinutes(1)).cancel("maya");
            service.join();
        }
        assertThat(said.toString()).contains(MAYA + " is cancelled now (CANCELLED: as asked)");
    }

    @Test
    void aServiceThatDoesNotAnswerIsNotWaitedForForever() {
        try (Ledger _ = openLively()) {
            errand(Duration.ofMillis(1)).cancel("maya");
        }
        assertThat(said.toString()).contains("a service is running", "has not taken the wish yet");
    }

    @Test
    void whatMakesNoSenseIsRefusedAndLeavesNoFile() {
        assertThatThrownBy(() -> errand(Duration.ZERO).retry("maya")).isInstanceOf(UserMistake.class)
                .hasMessageContaining("is queued; there is nothing to retry");
        finish(JobState.COMPLETED);
        assertThatThrownBy(() -> errand(Duration.ZERO).cancel("maya")).isInstanceOf(UserMistake.class)
                .hasMessageContaining("is completed already");
        assertThatThrownBy(() -> errand(Duration.ZERO).retry("maya")).isInstanceOf(UserMistake.class)
                .hasMessageContaining("--rerun");
        assertThat(inbox()).doesNotExist();
    }

    @Test
    void aFailedJobMayTryAgain() throws IOException {
        finish(JobState.FAILED);
        errand(Duration.ZERO).retry("maya");
        assertThat(Files.readString(onlyFile())).contains("\"retry\"");
    }

    private void finish(JobState state) {
        try (Ledger ledger = open()) {
            ledger.advance(MAYA, job -> job.startedAs(new Job.Child(1, 1, ""), "cpu"),
                    new Event.Started("maya", 20, 1, "cpu"));
            if (state == JobState.FAILED) {
                ledger.advance(MAYA, job -> job.in(state, "BUG", "test"), new Event.Failed("BUG", "test", List.of()));
                return;
            }
            ledger.advance(MAYA, job -> job.in(JobState.PUBLISHING, "", ""),
                    new Event.Progressed(20, 20, 1, 1, 0, 0, 1, Event.LossByNoise.UNKNOWN));
            ledger.advance(MAYA, job -> job.in(state, "", ""),
                    new Event.Completed(20, "maya.safetensors", "ab", 1, "report.html"));
        }
    }

    private Ledger open() {
        return Ledger.open(work, "here", InstantSource.system());
    }

    /// As a service would look that has just written its status.
    private Ledger openLively() {
        AtomicFiles.writeString(work.status(), "{}");
        return open();
    }

    private Errand errand(Duration patience) {
        return new Errand(work, inbox(), patience, InstantSource.system(), new PrintWriter(said, true));
    }

    private Path inbox() {
        return folder.resolve("inbox");
    }

    private Path onlyFile() {
        return files().getFirst();
    }

    private List<Path> files() {
        try (Stream<Path> files = Files.list(inbox())) {
            return files.filter(file -> !file.getFileName().toString().startsWith(".")).toList();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
