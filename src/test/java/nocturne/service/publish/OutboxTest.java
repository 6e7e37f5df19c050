package nocturne.service.publish;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import nocturne.event.Event;
import nocturne.io.AtomicFiles;
import nocturne.io.ContentHash;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.problem.Backoff;
import nocturne.problem.Problem;
import nocturne.promise.Promise;
import nocturne.train.SmallDisk;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OutboxTest {
    private static final Backoff IMPATIENT = new Backoff(Duration.ofMillis(20), Duration.ofMillis(20));

    @TempDir
    Path home;
    Desk desk;
    Outbox outbox;
    Publisher publisher;

    @BeforeEach
    void open() {
        desk = new Desk(home);
        outbox = new Outbox(desk.ledger, desk.outbox());
        publisher = new Publisher(desk.ledger, outbox, _ -> true, IMPATIENT);
    }

    @AfterEach
    void close() {
        publisher.stop();
        desk.close();
    }

    @Test
    void filesAppearAsTheyAreMadeAndPrivateOnesNever() throws IOException {
        JobId id = desk.run("maya-1");
        desk.checkpoint(id, 5, "five");
        desk.sample(id, 5, "picture");
        desk.file(id, "loss.csv", "1,0.5\n");
        Files.writeString(desk.ledger.work().run(id).resolve("job.json"), "the trainer's own");
        outbox.sync(id);
        assertThat(namesIn("maya-1")).containsExactlyInAnyOrder("checkpoints/maya-1-000005.safetensors",
                "samples/000005-0.png", "loss.csv", "events.jsonl");
        desk.file(id, "loss.csv", "1,0.5\n2,0.4\n");
        outbox.sync(id);
        assertThat(published("maya-1/loss.csv")).hasContent("1,0.5\n2,0.4");
    }

    @Test
    void theTrainersPruningIsFollowed() throws IOException {
        JobId id = desk.run("maya-1");
        Path run = desk.ledger.work().run(id);
        String first = desk.checkpoint(id, 5, "five");
        String second = desk.checkpoint(id, 10, "ten");
        outbox.sync(id);
        Files.delete(run.resolve(first));
        outbox.sync(id);
        assertThat(published("maya-1/" + first)).doesNotExist();
        assertThat(published("maya-1/" + second)).hasContent("ten");
    }

    /// A person sorts the results while the job still runs.
    @Test
    @Promise(row = 46, fault = "a person's files, and links to a canary, where ours are or were")
    void whatAPersonPutsThereStays() throws IOException {
        JobId id = desk.run("maya-1");
        String checkpoint = desk.checkpoint(id, 5, "five");
        outbox.sync(id);
        Path canary = Files.writeString(Files.createDirectory(home.resolve("elsewhere")).resolve("canary"), "alive");
        Files.writeString(published("maya-1/notes.txt"), "nice eyes");
        Files.writeString(published("maya-1/report.html"), "mine");
        Files.createSymbolicLink(published("maya-1/samples"), canary.getParent());
        Files.delete(published("maya-1/" + checkpoint));
        Files.createSymbolicLink(published("maya-1/" + checkpoint), canary);
        Files.delete(desk.ledger.work().run(id).resolve(checkpoint));
        desk.file(id, "report.html", "<html>");
        desk.file(id, "samples/canary", "a sample of that name");
        outbox.sync(id);
        assertThat(canary).hasContent("alive");
        assertThat(published("maya-1/notes.txt")).hasContent("nice eyes");
        assertThat(published("maya-1/report.html")).hasContent("<html>");
        assertThat(published("maya-1/report.html.yours")).hasContent("mine");
        assertThat(published("maya-1/samples.yours")).isSymbolicLink();
        assertThat(Files.isDirectory(published("maya-1/samples"), LinkOption.NOFOLLOW_LINKS)).isTrue();
        assertThat(published("maya-1/" + checkpoint)).as("ours no longer").isSymbolicLink();
    }

    @Test
    void aFolderOfSomebodyElseIsLeftAloneAlsoAfterARestart() throws IOException {
        Files.createDirectories(desk.outbox().resolve("maya-1"));
        Files.writeString(published("maya-1/job.json"), "{\"job\":\"maya-1\",\"state\":\"completed\"}");
        JobId id = desk.run("maya-1");
        desk.checkpoint(id, 5, "five");
        outbox.show(id);
        assertThat(namesIn("maya-1")).containsExactly("job.json");
        assertThat(published("maya-1/job.json")).content().contains("completed");
        assertThat(card("maya-1-2").path("state").asText()).isEqualTo("running");
        new Outbox(desk.ledger, desk.outbox()).sync(id);
        assertThat(desk.outbox().toFile().list()).containsExactlyInAnyOrder("maya-1", "maya-1-2");
    }

    @Test
    void aFolderThatAPersonDeletedIsMadeAgainWithAllThereIs() throws IOException {
        JobId id = desk.run("maya-1");
        desk.checkpoint(id, 5, "five");
        outbox.show(id);
        for (String name : namesIn("maya-1")) Files.delete(published("maya-1/" + name));
        Files.delete(published("maya-1/checkpoints"));
        Files.delete(published("maya-1"));
        outbox.show(id);
        assertThat(namesIn("maya-1")).containsExactlyInAnyOrder("checkpoints/maya-1-000005.safetensors", "job.json",
                "events.jsonl");
    }

    @Test
    void theCardFollowsTheJobAndTheResultIsCompleteWhenItSaysSo() throws IOException {
        publisher.start();
        JobId id = desk.queue("maya-1");
        await().until(() -> cardState("maya-1").equals("queued"));
        desk.start(id);
        await().until(() -> cardState("maya-1").equals("running"));
        desk.checkpoint(id, 5, "five");
        desk.complete(id, "the adapter");
        desk.ended(id);
        await().until(() -> cardState("maya-1").equals("completed"));
        assertThat(desk.state(id)).isEqualTo(JobState.COMPLETED);
        assertThat(card("maya-1")).isEqualTo(new ObjectMapper().readTree("""
                {"schema":1,"job":"maya-1","name":"maya-1","state":"completed","code":"","message":"","step":20,
                 "steps":20,"pictures":3,"attempt":1,"device":"cpu","origin":"inbox:maya-1.zip",
                 "created":"2026-11-21T12:00:00Z","changed":"%s","report":"report.html"}"""
                .formatted(desk.ledger.job(id).orElseThrow().announced().time())));
        assertThat(published("maya-1/events.jsonl")).hasSameTextualContentAs(desk.ledger.work().journal(id));
        assertThat(desk.journal(id).getLast().data().path("sha256").asText())
                .isEqualTo(ContentHash.ofFile(published("maya-1/final.safetensors")));
        JsonNode files = new ObjectMapper().readTree(published("maya-1/manifest.json").toFile()).path("files");
        assertThat(files).hasSize(3).allSatisfy(file -> {
            Path path = published("maya-1/" + file.path("path").asText());
            assertThat(Files.size(path)).isEqualTo(file.path("bytes").asLong());
            assertThat(ContentHash.ofFile(path)).isEqualTo(file.path("sha256").asText());
        });
    }

    @Test
    void aFailedJobLeavesWhatItMadeAndSaysWhy() throws IOException {
        publisher.start();
        JobId id = desk.run("maya-1");
        desk.checkpoint(id, 5, "five");
        desk.ledger.advance(id, now -> now.in(JobState.FAILED, "NOT_A_NUMBER", "the loss is not a number"),
                new Event.Failed("NOT_A_NUMBER", "the loss is not a number", List.of()));
        await().until(() -> cardState("maya-1").equals("failed"));
        assertThat(card("maya-1").path("code").asText()).isEqualTo("NOT_A_NUMBER");
        assertThat(namesIn("maya-1")).contains("checkpoints/maya-1-000005.safetensors").doesNotContain("manifest.json");
    }

    @Test
    void aRefusedBundleGetsItsProblemsInAFile() throws IOException {
        publisher.start();
        List<Problem> problems = List.of(new Problem("RECIPE_INVALID", "recipe.yaml line 3 train.steps", "is 0"),
                new Problem("PICTURE_DAMAGED", "a.png", "ends too soon"));
        desk.add(Job.refused(new JobId("maya-1"), "maya", "inbox:maya.zip", "00".repeat(32), "2026-11-21T12:00:00Z",
                problems, null), new Event.Rejected("maya", problems));
        await().until(() -> cardState("maya-1").equals("refused"));
        JsonNode refusal = new ObjectMapper().readTree(published("maya-1/refused.json").toFile());
        assertThat(refusal.path("problems")).hasSize(2);
        assertThat(refusal.at("/problems/1/where").asText()).isEqualTo("a.png");
    }

    @Test
    void aResultThatIsNotWhatTheTrainerWroteFailsTheJob() throws IOException {
        publisher.start();
        JobId id = desk.run("maya-1");
        desk.complete(id, "the adapter");
        desk.file(id, "final.safetensors", "a damaged adapter");
        desk.ended(id);
        await().until(() -> cardState("maya-1").equals("failed"));
        assertThat(card("maya-1").path("code").asText()).isEqualTo("RESULT_DAMAGED");
    }

    @Test
    @Promise(row = 11, fault = "another host has taken the job over when its result is to be published",
            with = "a scripted claim")
    void aJobThatIsNoLongerOursIsNotCompleted() {
        publisher = new Publisher(desk.ledger, outbox, _ -> false, IMPATIENT);
        publisher.start();
        JobId id = desk.run("maya-1");
        desk.complete(id, "the adapter");
        desk.ended(id);
        await().until(() -> cardState("maya-1").equals("superseded"));
        assertThat(published("maya-1/manifest.json")).doesNotExist();
        assertThat(desk.journal(id).getLast().type()).isEqualTo("nocturne.job.superseded.v1");
    }

    /// `/dev/shm` is another file system than the temporary folder on most machines.
    @Test
    void acrossFileSystemsItIsCopied() throws IOException {
        Path memory = Path.of("/dev/shm");
        assumeTrue(Files.isWritable(memory) && !Files.getFileStore(memory).equals(Files.getFileStore(home)));
        Path far = Files.createTempDirectory(memory, "nocturne-outbox-");
        try {
            outbox = new Outbox(desk.ledger, far);
            JobId id = desk.run("maya-1");
            String checkpoint = desk.checkpoint(id, 5, "five");
            outbox.sync(id);
            Path copy = far.resolve("maya-1").resolve(checkpoint);
            assertThat(copy).hasContent("five");
            Object key = Files.getAttribute(copy, "unix:ino");
            outbox.sync(id);
            assertThat(Files.getAttribute(copy, "unix:ino")).as("not copied again").isEqualTo(key);
        } finally {
            try (Stream<Path> files = Files.walk(far)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
            }
        }
    }

    /// A folder where `manifest.json` should be stands for any reason why the disk may refuse.
    @Test
    @Promise(row = 31, fault = "manifest.json cannot be written at the end of a job", with = "a folder in its place")
    void whatTheDiskRefusesIsTriedAgainAndSaidMeanwhile() throws IOException {
        publisher.start();
        JobId id = desk.run("maya-1");
        outbox.show(id);
        Path obstacle = Files.createDirectories(published("maya-1/manifest.json/full"));
        desk.complete(id, "the adapter");
        desk.ended(id);
        await().until(() -> desk.ledger.job(id).orElseThrow().code().equals("WRITE_FAILED"));
        assertThat(desk.state(id)).isEqualTo(JobState.PUBLISHING);
        Files.delete(obstacle);
        Files.delete(obstacle.getParent());
        await().until(() -> cardState("maya-1").equals("completed"));
        assertThat(card("maya-1").path("message").asText()).isEmpty();
    }

    @Test
    @Promise(row = 31, fault = "the outbox's file system is full when a job is to be completed, and has room later")
    void aFullOutboxCostsTimeAndTearsNothing() throws IOException {
        try (SmallDisk disk = SmallDisk.mounted(home.resolve("small"), "size=512k")) {
            outbox = new Outbox(desk.ledger, disk.root().resolve("outbox"));
            publisher = new Publisher(desk.ledger, outbox, _ -> true, IMPATIENT);
            publisher.start();
            JobId id = desk.run("maya-1");
            for (int step = 5; step <= 20; step += 5) desk.checkpoint(id, step, "%d".formatted(step).repeat(100_000));
            desk.complete(id, "the adapter");
            desk.ended(id);
            await().until(() -> desk.ledger.job(id).orElseThrow().code().equals("DISK_FULL"));
            Path published = disk.root().resolve("outbox/maya-1");
            try (Stream<Path> files = Files.walk(published.resolve("checkpoints"))) {
                for (Path file : files.filter(Files::isRegularFile).filter(f -> !AtomicFiles.isLeftover(f)).toList()) {
                    assertThat(file).hasSameBinaryContentAs(desk.ledger.work().run(id)
                            .resolve(published.relativize(file)));
                }
            }
            disk.remount("size=8m");
            await().until(() -> outbox.isShown(desk.ledger.job(id).orElseThrow()));
            assertThat(desk.state(id)).isEqualTo(JobState.COMPLETED);
            JsonNode files = new ObjectMapper().readTree(published.resolve("manifest.json").toFile()).path("files");
            assertThat(files).hasSize(6).allSatisfy(file -> assertThat(ContentHash.ofFile(
                    published.resolve(file.path("path").asText()))).isEqualTo(file.path("sha256").asText()));
            publisher.stop();
        }
    }

    @Test
    void aFinishedJobIsNotTouchedAgain() throws IOException {
        publisher.start();
        JobId id = desk.run("maya-1");
        desk.complete(id, "the adapter");
        desk.ended(id);
        await().until(() -> outbox.isShown(desk.ledger.job(id).orElseThrow()));
        Files.delete(published("maya-1/final.safetensors"));
        publisher.stop();
        Publisher next = new Publisher(desk.ledger, new Outbox(desk.ledger, desk.outbox()), _ -> true, IMPATIENT);
        next.start();
        next.stop();
        assertThatThrownBy(() -> Files.size(published("maya-1/final.safetensors"))).isInstanceOf(IOException.class);
        publisher = next;
    }

    private Path published(String path) {
        return desk.outbox().resolve(path);
    }

    private List<String> namesIn(String job) throws IOException {
        Path root = desk.outbox().resolve(job);
        try (Stream<Path> files = Files.walk(root)) {
            return files.filter(file -> !Files.isDirectory(file)).map(root::relativize).map(Path::toString).toList();
        }
    }

    private JsonNode card(String job) throws IOException {
        return new ObjectMapper().readTree(published(job + "/job.json").toFile());
    }

    private String cardState(String job) throws IOException {
        return Files.exists(published(job + "/job.json")) ? card(job).path("state").asText() : "";
    }
}
