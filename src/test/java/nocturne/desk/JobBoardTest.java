package nocturne.desk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.stream.Stream;
import nocturne.event.Event;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.job.Ledger;
import nocturne.job.WorkFolder;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import nocturne.promise.Promise;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Jobs are seen from outside as the ledger, which is open all the time here, left them.
final class JobBoardTest {
    private static final Instant NOON = Instant.parse("2026-11-21T12:00:00Z");

    @TempDir
    private Path folder;

    private WorkFolder work;
    private Ledger ledger;
    private JobBoard board;

    @BeforeEach
    void openLedger() {
        work = new WorkFolder(folder.resolve("work"));
        ledger = Ledger.open(work, "here", InstantSource.fixed(NOON));
        board = new JobBoard(work, InstantSource.fixed(NOON.plusSeconds(10)));
    }

    @AfterEach
    void closeLedger() {
        ledger.close();
    }

    @Test
    void aRunningJobShowsWhereItsTrainerIsAndWhenItWillBeDone() throws IOException {
        Job job = running("maya");
        ledger.record(job.id(), new Event.Progressed(120, 600, 0.4, 0.1, 70, 0, 1, Event.LossByNoise.UNKNOWN));
        Files.createDirectories(work.heartbeat(job.id()).getParent());
        Files.writeString(work.heartbeat(job.id()), "{\"pid\":1,\"phase\":\"sampling\",\"step\":150,\"steps\":600}");

        JobView view = board.find(job.id().text());

        assertThat(view.step()).isEqualTo(150);
        assertThat(view.phase()).isEqualTo("sampling");
        assertThat(view.left()).as("70 s, said 10 s ago").isEqualTo(Duration.ofSeconds(60));
        assertThat(table(view)).contains(job.id() + "  running, sampling  150/600  1m 00s  cpu");
    }

    @Test
    void aHeartbeatThatIsBeingWrittenIsNoNews() throws IOException {
        Job job = running("maya");
        Files.createDirectories(work.heartbeat(job.id()).getParent());
        Files.writeString(work.heartbeat(job.id()), "{\"pid\":1,\"pha");
        assertThat(board.find(job.id().text())).satisfies(view -> {
            assertThat(view.step()).isZero();
            assertThat(view.left()).isNull();
        });
    }

    @Test
    void theBeginningOfAnIdWillDoWhereItSaysWhich() {
        Job maya = running("maya");
        Job max = queued("max");
        assertThat(board.find("may").job().id()).isEqualTo(maya.id());
        assertThatThrownBy(() -> board.find("ma")).isInstanceOf(UserMistake.class)
                .hasMessageContaining(maya.id().text()).hasMessageContaining(max.id().text());
    }

    @Test
    void anUnknownJobBringsTheNearest() {
        Job maya = queued("maya");
        queued("something-else");
        assertThatThrownBy(() -> board.find(maya.id().text().replace("maya", "mya")))
                .isInstanceOf(UserMistake.class).hasMessageContaining("Did you mean " + maya.id());
    }

    @Test
    @Promise(row = 34, fault = "a job id that is a path or an escape sequence, on the command line")
    void whatIsNoIdIsNoPathEither() {
        queued("maya");
        for (String hostile : List.of("../work", "/etc/passwd", "", "a\u001b[2Jb", "maya\0")) {
            assertThatThrownBy(() -> board.find(hostile)).isInstanceOf(UserMistake.class)
                    .message().doesNotContain("\u001b", "\0");
        }
    }

    @Test
    void aDamagedJobIsToldAndHidesNoOther() throws IOException {
        Job maya = queued("maya");
        Files.createDirectories(work.jobs().resolve("broken-1"));
        Files.writeString(work.jobs().resolve("broken-1/job.json"), "{");
        JobBoard.Listing listing = board.list();
        assertThat(listing.jobs()).extracting(view -> view.job().id()).containsExactly(maya.id());
        assertThat(listing.unreadable()).singleElement().asString().contains("broken-1");
        assertThatThrownBy(() -> board.find("broken-1")).isInstanceOf(UserMistake.class)
                .hasMessageContaining("job.json");
    }

    @Test
    void aWorkFolderThatIsNotThereHoldsNoJobs() {
        JobBoard nowhere = new JobBoard(new WorkFolder(folder.resolve("nowhere")), InstantSource.system());
        assertThat(nowhere.list().jobs()).isEmpty();
        assertThatThrownBy(() -> nowhere.find("maya")).hasMessageContaining("There are no jobs");
    }

    @Test
    @Promise(row = 47, fault = "jobs are listed while another process holds work/")
    void lookingChangesNothingAndTakesNoLock() throws IOException, InterruptedException {
        running("maya");
        ledger.close();
        Process holder = LockHolder.start(work);
        try {
            List<String> before = everything();
            board.list();
            RunningService service = RunningService.in(work, InstantSource.system());
            assertThat(service.isRunning()).isTrue();
            assertThat(service.words()).contains("process " + holder.pid() + " on there");
            assertThat(everything()).isEqualTo(before);
            assertThatThrownBy(() -> Ledger.open(work, "here", InstantSource.system())).as("it holds it still")
                    .isInstanceOf(UserMistake.class);
        } finally {
            holder.destroyForcibly().waitFor();
        }
        assertThat(RunningService.in(work, InstantSource.system()).isRunning()).isFalse();
    }

    @Test
    void aServiceThatCannotBeSeenIsKnownByItsFreshStatus() throws IOException {
        ledger.close();
        Files.writeString(work.instanceLock(), "process 1 on a-container\n");
        Files.writeString(work.status(), "{}");
        assertThat(RunningService.in(work, InstantSource.system()).isRunning()).isTrue();
        InstantSource later = () -> Instant.now().plusSeconds(600);
        assertThat(RunningService.in(work, later).isRunning()).isFalse();
    }

    @Test
    void theStoryTellsStatesCheckpointsAndProblems() throws Exception {
        Job job = running("maya");
        ledger.record(job.id(), new Event.Progressed(1, 600, 0.9, 0.1, 70, 0, 1, Event.LossByNoise.UNKNOWN));
        ledger.record(job.id(), new Event.Progressed(120, 600, 0.4, 0.1, 60, 0, 1, Event.LossByNoise.UNKNOWN));
        ledger.record(job.id(),
                new Event.CheckpointWritten(100, "maya_000000100.safetensors", 2_100_000, "ab", 0.4, 0.5));
        ledger.advance(job.id(), now -> now.in(JobState.FAILED, "BUNDLE_INVALID", "no pictures")
                .withProblems(List.of(new Problem("BUNDLE_INVALID", "dataset/", "is empty"))),
                new Event.Failed("BUNDLE_INVALID", "no pictures", List.of()));
        Path outbox = folder.resolve("outbox");
        Files.createDirectories(outbox.resolve(job.id().text()));
        Files.writeString(outbox.resolve(job.id().text()).resolve("maya_000000100.safetensors"), "x");

        StringWriter text = new StringWriter();
        JobStory story = new JobStory(work, outbox, board.find("maya"));
        story.print(new PrintWriter(text, true));

        assertThat(text.toString())
                .contains(job.id() + "  failed", "why       BUNDLE_INVALID: no pictures",
                        "problem   BUNDLE_INVALID dataset/: is empty", "accepted from test", "started on cpu",
                        "step 120 of 600", "failed: BUNDLE_INVALID: no pictures",
                        "step 100     2.1 MB     maya_000000100.safetensors")
                .doesNotContain("step 1 of 600", "not in the outbox");
        JsonNode json = new ObjectMapper().readTree(story.json());
        assertThat(json.path("state").asText()).isEqualTo("failed");
        assertThat(json.path("events")).hasSize(6);
        assertThat(json.path("events").get(0).path("specversion").asText()).isEqualTo("1.0");
    }

    private Job queued(String name) {
        String hash = "0123456789abcdef".repeat(4);
        Job job = Job.queued(JobId.of(name, hash), name, "test", hash, "bundle", null, 0, NOON.toString(), 600, 20,
                null);
        try {
            Path prepared = Files.createDirectories(work.incoming().resolve(name));
            return ledger.add(prepared, job, new Event.Queued(name, "test", hash, 600, 20)).job();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private Job running(String name) {
        Job job = queued(name);
        return ledger.advance(job.id(), now -> now.startedAs(new Job.Child(1, 1, "boot"), "cpu"),
                new Event.Started(name, 600, 20, "cpu"));
    }

    private static String table(JobView view) {
        StringWriter text = new StringWriter();
        JobTable.print(List.of(view), new PrintWriter(text, true));
        return text.toString();
    }

    private List<String> everything() throws IOException {
        try (Stream<Path> files = Files.walk(work.root())) {
            return files.sorted().map(file -> {
                try {
                    return file + " " + Files.getLastModifiedTime(file);
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            }).toList();
        }
    }
}
