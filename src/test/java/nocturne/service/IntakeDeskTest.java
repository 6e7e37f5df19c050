package nocturne.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import nocturne.event.Event;
import nocturne.io.ContentHash;
import nocturne.io.FolderTree;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.problem.Problem;
import nocturne.problem.SickMachine;
import nocturne.promise.Promise;
import nocturne.service.Intake.Verdict;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IntakeDeskTest {
    @TempDir
    Path folder;
    IntakeCase its;

    @BeforeEach
    void open() {
        its = new IntakeCase(folder);
    }

    @AfterEach
    void close() {
        its.close();
        its.oracle.checkRecovered();
        assertThat(its.work.incoming()).isEmptyDirectory();
    }

    @Test
    void aZipBecomesAJobWithEverythingItNeeds() throws IOException {
        Path zip = its.zip("maya");
        Verdict verdict = its.drop(zip);
        assertThat(verdict).isInstanceOf(Verdict.Accepted.class);
        Job job = IntakeCase.job(verdict);
        assertThat(job).extracting(Job::state, Job::name, Job::origin, Job::steps, Job::pictures)
                .containsExactly(JobState.QUEUED, "maya", "inbox:maya.zip", 20L, 1);
        assertThat(job.id().text()).matches("maya-[0-9a-f]{8}");
        Path bundle = its.work.job(job.id()).resolve(job.bundle());
        assertThat(bundle.resolve("recipe.yaml")).exists();
        assertThat(bundle.resolve("pictures/0001.png")).exists();
        assertThat(its.told(job)).containsExactly("job.queued");
        assertThat(zip).as("the user's file").exists();
    }

    @Test
    void aFolderIsCopiedAndMayGo() throws IOException {
        Path dropped = its.folder("maya");
        Job job = IntakeCase.job(its.drop(dropped));
        assertThat(job.state()).isEqualTo(JobState.QUEUED);
        FolderTree.delete(dropped);
        assertThat(its.work.job(job.id()).resolve(job.bundle()).resolve("pictures/0001.png")).exists();
    }

    @Test
    @Promise(row = 18, fault = "the same zip later, renamed, zipped again, and as a folder")
    void theSameContentIsTrainedOnce() throws IOException {
        Path zip = its.zip("maya");
        Job first = IntakeCase.job(its.drop(zip));
        Path renamed = Files.copy(zip, folder.resolve("inbox/other name.zip"));
        Files.delete(zip);
        List<Path> again = List.of(its.zip("maya"), renamed, its.folder("maya"));
        for (Path source : again) {
            Verdict verdict = its.drop(source);
            assertThat(verdict).isInstanceOf(Verdict.Duplicate.class);
            assertThat(IntakeCase.job(verdict).id()).isEqualTo(first.id());
        }
        assertThat(its.ledger.jobs()).hasSize(1);
        assertThat(its.told(first)).containsExactly("job.queued", "job.duplicate", "job.duplicate", "job.duplicate");
    }

    @Test
    @Promise(row = 18, fault = "the same zip from eight threads at once")
    void theSameContentAtOnceIsTrainedOnce() throws Exception {
        Path zip = its.zip("maya");
        List<Callable<Verdict>> drops = Collections.nCopies(8, () -> its.drop(zip));
        List<Verdict> verdicts = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            for (Future<Verdict> verdict : threads.invokeAll(drops)) verdicts.add(verdict.get());
        }
        assertThat(verdicts).filteredOn(Verdict.Accepted.class::isInstance).hasSize(1);
        assertThat(verdicts).filteredOn(Verdict.Duplicate.class::isInstance).hasSize(7);
        assertThat(its.ledger.jobs()).singleElement()
                .satisfies(job -> assertThat(its.told(job)).hasSize(8).filteredOn("job.duplicate"::equals).hasSize(7));
    }

    @Test
    @Promise(row = 18, fault = "the same Kafka message ten times")
    void aPromiseIsKeptOnce() throws IOException {
        Path zip = its.zip("maya");
        Job.Claim claim = new Job.Claim("request-7", 1);
        Incoming bundle = new Incoming(zip, "maya", "kafka:nocturne.jobs/3@17", "maya", null, 0, true, claim);
        for (int time = 1; time <= 10; time++) {
            assertThat(IntakeCase.job(its.intake.take(bundle)).id().text()).isEqualTo("maya");
        }
        its.ledger.cancel(new JobId("maya"), "no");
        assertThat(its.intake.take(bundle)).as("whatever became of it").isInstanceOf(Verdict.Duplicate.class);
        assertThat(its.ledger.jobs()).hasSize(1);
    }

    @Test
    @Promise(row = 42, fault = "a recipe with more steps than the operator allows, at the service's door")
    void aRecipeThatAsksForTooMuchIsRefused() throws IOException {
        Intake strict = IntakeCase.desk(its.ledger, folder, 0, 10);
        assertThat(strict.take(Incoming.named(its.zip("maya"), "maya", "inbox:maya.zip")))
                .isInstanceOfSatisfying(Verdict.Refused.class, refused -> assertThat(refused.problems())
                        .extracting(Problem::code).containsExactly("LIMIT_STEPS"));
    }

    @Test
    void aRerunIsAJobOfItsOwn() throws IOException {
        Path zip = its.zip("maya");
        Incoming again = new Incoming(zip, "maya", "inbox:maya.zip", null, null, 3, true, null);
        Job first = IntakeCase.job(its.drop(zip));
        assertThat(IntakeCase.job(its.intake.take(again)).id()).isEqualTo(first.id().again(2));
        assertThat(IntakeCase.job(its.intake.take(again))).extracting(Job::id, Job::priority)
                .containsExactly(first.id().again(3), 3);
    }

    @Test
    void aDropsAnswerIsKnownBeforeItsBundleIs() throws IOException {
        Incoming dropped = Incoming.dropped(its.zip("maya"), "maya", "inbox:maya.zip", "a-1");
        assertThat(its.intake.answerGivenBefore(dropped)).isEmpty();
        Job job = IntakeCase.job(its.intake.take(dropped));
        its.ledger.cancel(job.id(), "no");
        Incoming again = Incoming.dropped(folder.resolve("nowhere"), "maya", "inbox:maya.zip", "a-1");
        assertThat(its.intake.answerGivenBefore(again)).map(IntakeCase::job).map(Job::id).contains(job.id());
    }

    @Test
    void whatFailedOrWasCancelledMayBeDroppedAgain() throws IOException {
        Path zip = its.zip("maya");
        Job first = IntakeCase.job(its.drop(zip));
        its.ledger.cancel(first.id(), "no");
        Job second = IntakeCase.job(its.drop(zip));
        assertThat(second.id()).isEqualTo(first.id().again(2));
        its.ledger.advance(second.id(), job -> job.in(JobState.FAILED, "X", "no"),
                new Event.Failed("X", "no", List.of()));
        Job third = IntakeCase.job(its.drop(zip));
        assertThat(third.id()).isEqualTo(first.id().again(3));
        assertThat(its.drop(zip)).as("now it lives").isInstanceOf(Verdict.Duplicate.class);
    }

    @Test
    void aSendersIdIsTheJobsAndStandsForItsContent() throws IOException {
        Incoming bundle = new Incoming(its.zip("maya"), "maya", "k", "order-17", null, 0, false, null);
        assertThat(IntakeCase.job(its.intake.take(bundle)).id().text()).isEqualTo("order-17");
        Incoming other = new Incoming(its.zip("other"), "other", "k", "order-17", null, 0, false, null);
        assertThat(its.intake.take(other)).isInstanceOf(Verdict.Duplicate.class);
        its.ledger.cancel(new JobId("order-17"), "no");
        assertThat(IntakeCase.job(its.intake.take(other)).id().text()).isEqualTo("order-17-2");
        assertThat(its.intake.take(other)).isInstanceOf(Verdict.Duplicate.class);
    }

    @Test
    void anotherModelIsAnotherJob() throws IOException {
        Path zip = its.zip("maya");
        its.drop(zip);
        String model = Path.of("models/qwen-image-tiny").toAbsolutePath().toString();
        assertThat(its.intake.take(new Incoming(zip, "maya", "k", null, model, 0, false, null)))
                .isInstanceOf(Verdict.Accepted.class);
    }

    @Test
    void whatCannotBeUsedIsRefusedWithAllProblemsAndWithoutOurPaths() throws IOException {
        Path bad = its.folder("bad");
        Files.writeString(bad.resolve("recipe.yaml"), """
                name: bad
                network: {type: lora, linear: 0}
                datasets:
                  - {folder_path: pictures, resolution: 1000}
                train: {steps: -3}
                model: {name_or_path: models/qwen-image-tiny}
                """);
        Verdict.Refused refused = (Verdict.Refused) its.drop(bad);
        assertThat(refused.problems()).hasSizeGreaterThanOrEqualTo(3);
        Job job = its.job(refused.job().id());
        assertThat(job.state()).isEqualTo(JobState.REFUSED);
        assertThat(job.problems()).isEqualTo(refused.problems());
        assertThat(its.told(job)).containsExactly("job.rejected");
        assertThat(Files.readString(its.work.jobFile(job.id()))).doesNotContain(its.work.incoming().toString());
        assertThat(its.drop(bad)).as("once more").isInstanceOf(Verdict.Refused.class);
        assertThat(its.ledger.jobs()).hasSize(2);
    }

    @Test
    @Promise(row = 16, fault = "pictures that are none, a model that is not there")
    void picturesThatAreNoneAndModelsThatAreNotThereAreNamedAsTheUserKnowsThem() throws IOException {
        Path pictures = its.folder("pictures");
        Files.writeString(pictures.resolve("pictures/0001.png"), "not a picture");
        Job job = IntakeCase.job(its.drop(pictures));
        assertThat(job.state()).isEqualTo(JobState.REFUSED);
        assertThat(job.problems()).anySatisfy(problem -> assertThat(problem.where()).startsWith("pictures/0001.png"));
        Incoming elsewhere =
                new Incoming(its.zip("maya"), "maya", "k", null, "no/such/model\u0000", 0, false, null);
        assertThat(IntakeCase.job(its.intake.take(elsewhere)).code()).isEqualTo("MODEL_NOT_FOUND");
    }

    @Test
    void thousandsOfProblemsAreNamedUpToABound() {
        List<Problem> problems = new ArrayList<>();
        for (int i = 0; i < 5000; i++) problems.add(new Problem("BAD", "file-" + i, "x".repeat(100_000)));
        Incoming bundle = Incoming.named(folder.resolve("none.zip"), "none", "inbox:none.zip");
        Verdict.Refused refused = (Verdict.Refused) its.intake.refuse(bundle, problems);
        assertThat(refused.problems()).hasSize(Wording.MOST_PROBLEMS + 1).last()
                .satisfies(last -> assertThat(last.what()).contains("4,900 problems more"));
        assertThat(its.work.jobFile(refused.job().id())).satisfies(file -> assertThat(Files.size(file))
                .isLessThan(600_000));
    }

    @Test
    void aBadIdIsAProblemLikeAnyOther() throws IOException {
        Incoming bundle = new Incoming(its.zip("maya"), "maya", "k", "../../etc/passwd", null, 0, false, null);
        assertThat(its.intake.take(bundle)).isInstanceOf(Verdict.Refused.class);
        assertThat(its.ledger.jobs()).singleElement().extracting(Job::code).isEqualTo("ID_INVALID");
    }

    @Test
    @Promise(row = 35, fault = "links to a secret, a second name of it, a folder with both")
    void aLinkIsNeverRead() throws IOException {
        Files.createDirectories(folder.resolve("inbox"));
        Path secret = Files.writeString(folder.resolve("secret.txt"), "canary-4711");
        Path link = Files.createSymbolicLink(folder.resolve("inbox/link.zip"), secret);
        Path second = Files.createLink(folder.resolve("inbox/second.zip"), secret);
        Path bundle = its.folder("links");
        Files.createSymbolicLink(bundle.resolve("pictures/0002.txt"), secret);
        Files.createLink(bundle.resolve("pictures/0003.txt"), secret);
        Path folderLink = Files.createSymbolicLink(folder.resolve("inbox/folder"), its.folder("elsewhere"));
        for (Path source : List.of(link, second, bundle, folderLink)) {
            assertThat(its.drop(source)).as(source.toString()).isInstanceOf(Verdict.Refused.class);
        }
        String hash = ContentHash.ofFile(secret);
        try (var files = Files.walk(its.work.root())) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                assertThat(Files.readString(file, StandardCharsets.ISO_8859_1)).as(file.toString())
                        .doesNotContain("canary-4711", hash);
            }
        }
    }

    @Test
    @Promise(row = 39, fault = "files from the year 2199 and 1971, and a clock that jumps a day between them")
    void whatAFileSaysOfItsTimeChangesNothing() throws IOException {
        Path zip = its.zip("maya");
        Files.setLastModifiedTime(zip, FileTime.from(Instant.parse("2199-01-01T00:00:00Z")));
        Job first = IntakeCase.job(its.drop(zip));
        its.time = its.time.minus(Duration.ofDays(1));
        Path other = its.zip("other");
        Files.setLastModifiedTime(other, FileTime.from(Instant.parse("1971-01-01T00:00:00Z")));
        its.drop(other);
        Files.setLastModifiedTime(zip, FileTime.from(Instant.parse("1980-01-01T00:00:00Z")));
        assertThat(its.drop(zip)).isInstanceOf(Verdict.Duplicate.class);
        assertThat(its.ledger.next()).map(Job::id).contains(first.id());
    }

    @Test
    @Promise(row = 31, fault = "a reserve that the disk does not have")
    void withoutRoomNothingIsTakenAndNothingRefused() throws IOException {
        Path zip = its.zip("maya");
        its.close();
        try (IntakeCase full = new IntakeCase(folder, Long.MAX_VALUE / 2)) {
            assertThatThrownBy(() -> full.drop(zip)).isInstanceOf(SickMachine.class)
                    .satisfies(e -> assertThat(((SickMachine) e).code()).isEqualTo("DISK_FULL"));
            assertThat(full.ledger.jobs()).isEmpty();
            assertThat(full.work.incoming()).isEmptyDirectory();
        }
        its = new IntakeCase(folder);
        assertThat(its.drop(zip)).isInstanceOf(Verdict.Accepted.class);
    }

    /// Every bundle leaves its job and nothing else; more of them with `-Dnocturne.long=true`.
    @Test
    void manySmallBundlesAreAllTakenAndNoneTwice() throws IOException {
        int count = Boolean.getBoolean("nocturne.long") ? 1000 : 50;
        List<JobId> ids = new ArrayList<>();
        for (int i = 0; i < count; i++) ids.add(IntakeCase.job(its.drop(its.zip("bundle-" + i))).id());
        assertThat(ids).doesNotHaveDuplicates();
        assertThat(its.ledger.jobs()).extracting(Job::id).containsExactlyElementsOf(ids);
        assertThat(its.ledger.jobs()).allMatch(job -> job.state() == JobState.QUEUED);
    }
}
