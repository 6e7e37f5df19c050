package nocturne.service.pull;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import nocturne.event.Event;
import nocturne.event.EventLine;
import nocturne.hub.FakeHub;
import nocturne.hub.ModelId;
import nocturne.hub.Patience;
import nocturne.hub.Pipeline;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.job.Ledger;
import nocturne.job.WorkFolder;
import nocturne.plan.ModelSearch;
import nocturne.problem.Backoff;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What becomes of a job whose model has to be fetched, with a hub on this machine.
final class ModelPullsTest {
    private static final ModelId MODEL = ModelId.of("Qwen/Qwen-Image").orElseThrow();
    private static final String SHARD = "transformer/diffusion_pytorch_model-00002-of-00003.safetensors";
    private static final Backoff AT_ONCE = new Backoff(Duration.ofMillis(20), Duration.ofMillis(100));

    @TempDir
    private Path folder = Path.of("");

    private final FakeHub hub = new FakeHub().named(MODEL.toString()).withPipeline();
    private final AtomicInteger changes = new AtomicInteger();
    /// How often the fetching thread still meets an error.
    private final AtomicInteger broken = new AtomicInteger();
    private Path root = Path.of("");
    private Ledger ledger;
    private ModelPulls pulls;

    @BeforeEach
    void open() throws IOException {
        root = Files.createDirectories(folder.toRealPath().resolve("models"));
        ledger = Ledger.open(new WorkFolder(folder.resolve("work")), "studio", InstantSource.system());
        pulls = pulls(true);
        pulls.start();
    }

    @AfterEach
    void close() {
        pulls.stop();
        ledger.close();
        hub.close();
    }

    @Test
    void aJobIsReadyWhenItsModelIsThereWhole() {
        Job job = waiting("maya");
        assertThat(pulls.isReady(job)).isFalse();
        await().until(() -> pulls.isReady(ledger.job(job.id()).orElseThrow()));
        assertThat(root.resolve("Qwen-Image")).isDirectory();
        assertThat(new ModelSearch.Below(folder, List.of(root)).here(MODEL)).contains(root.resolve("Qwen-Image"));
        assertThat(told(job)).first().asString().startsWith("Qwen/Qwen-Image is not here and is being fetched: ");
        assertThat(told(job)).contains("Qwen/Qwen-Image is being fetched: 50 % of 0.0 GB are here")
                .endsWith("its model is here now").doesNotHaveDuplicates();
        Job now = ledger.job(job.id()).orElseThrow();
        assertThat(now.state()).isEqualTo(JobState.QUEUED);
        assertThat(now.code()).isEmpty();
        assertThat(changes).as("the dispatcher was woken").hasPositiveValue();
    }

    @Test
    void oneThatIsThereIsNotAskedForNorSpokenOf() throws IOException {
        Files.createDirectories(root.resolve("Qwen-Image"));
        Job job = waiting("maya");
        await().until(() -> pulls.isReady(ledger.job(job.id()).orElseThrow()));
        assertThat(hub.asked()).isEmpty();
        assertThat(told(job)).isEmpty();
    }

    @Test
    void aHubThatIsAwayIsAskedAgainAndTheJobHearsOnce() {
        for (int i = 0; i < 3; i++) hub.failing("revision", FakeHub.status(429, "Retry-After", "86400"));
        Job job = waiting("maya");
        await().until(() -> pulls.isReady(ledger.job(job.id()).orElseThrow()));
        assertThat(told(job)).filteredOn(text -> text.contains("is tried again")).singleElement().asString()
                .contains("429");
        assertThat(hub.asked("hub", "/revision/main")).hasSize(4);
    }

    @ParameterizedTest
    @CsvSource({"404, Look at the spelling", "401, HF_TOKEN", "403, accept the model's conditions"})
    void whatTheHubWillNotGiveEndsTheJobWithWhatToDo(int status, String advice) {
        hub.failing("revision", FakeHub.status(status));
        Job job = waiting("maya");
        await().until(() -> ledger.job(job.id()).orElseThrow().state() == JobState.FAILED);
        Job failed = ledger.job(job.id()).orElseThrow();
        assertThat(failed.code()).isEqualTo("HUB_REFUSED");
        assertThat(failed.message()).contains("Qwen/Qwen-Image", advice, "./nocturne retry maya").doesNotContain("\n");

        // Which then is another try: the hub has changed its mind.
        ledger.retry(job.id());
        await().until(() -> pulls.isReady(ledger.job(job.id()).orElseThrow()));
    }

    @Test
    void aFolderWithAnotherModelIsLeftAloneAndNamed() throws IOException {
        Path theirs = Files.createDirectories(root.resolve("Qwen-Image/transformer"));
        Files.writeString(theirs.resolve("config.json"), "{\"mine\": true}");
        Files.writeString(theirs.resolve("x.safetensors.index.json"),
                "{\"weight_map\": {\"a\": \"gone.safetensors\"}}");
        Job job = waiting("maya");
        await().until(() -> ledger.job(job.id()).orElseThrow().state() == JobState.FAILED);
        assertThat(ledger.job(job.id()).orElseThrow().code()).isEqualTo("MODEL_DIFFERENT");
        assertThat(theirs.resolve("config.json")).hasContent("{\"mine\": true}");
    }

    /// The one that is cancelled was the last that waited.
    @Test
    void nobodyFetchesForNobodyAndWhatHasArrivedIsKept() throws Exception {
        CountDownLatch over = new CountDownLatch(1);
        hub.failing(SHARD, (exchange, content) -> {
            exchange.sendResponseHeaders(200, content.length);
            exchange.getResponseBody().write(content, 0, 100_000);
            exchange.getResponseBody().flush();
            awaitQuietly(over);
            throw new IOException("over");
        });
        Job job = waiting("maya");
        await().until(() -> !hub.asked("store", SHARD).isEmpty());
        int before = changes.get();
        ledger.cancel(job.id(), "thought better of it");
        await().until(() -> changes.get() > before);
        over.countDown();
        assertThat(root.resolve("Qwen-Image")).doesNotExist();
        assertThat(root.resolve(".pulling-Qwen-Image")).isDirectory();
        Job next = waiting("otto");
        await().until(() -> pulls.isReady(ledger.job(next.id()).orElseThrow()));
        assertThat(Pipeline.missing(root.resolve("Qwen-Image"))).isEmpty();
    }

    /// The hub's own list of shards names one that it does not have.
    @Test
    void aModelThatIsNotWholeAtTheHubEndsTheJobWithWhatToDo() {
        hub.with("transformer/diffusion_pytorch_model.safetensors.index.json",
                "{\"weight_map\": {\"w1\": \"gone.safetensors\"}}");
        Job job = waiting("maya");
        await().until(() -> ledger.job(job.id()).orElseThrow().state() == JobState.FAILED);
        Job failed = ledger.job(job.id()).orElseThrow();
        assertThat(failed.code()).isEqualTo("MODEL_INCOMPLETE");
        assertThat(failed.message()).contains("transformer/gone.safetensors", root.resolve("Qwen-Image").toString(),
                "move the folder away", "./nocturne retry maya").doesNotContain("\n");
        assertThat(told(job)).last().asString().contains("is not whole");
        assertThat(hub.asked("store", SHARD)).as("fetched once").hasSize(1);
    }

    /// One of two is cancelled while the other is told.
    @Test
    void nothingIsSaidToAJobThatHasEnded() {
        CountDownLatch both = new CountDownLatch(1);
        hub.failing("revision", (_, _) -> {
            awaitQuietly(both);
            return false;
        });
        List<Job> jobs = List.of(waiting("maya"), waiting("otto"));
        AtomicReference<JobId> first = new AtomicReference<>();
        ledger.listenToJournals(id -> {
            if (!first.compareAndSet(null, id)) return;
            jobs.stream().map(Job::id).filter(other -> !other.equals(id))
                    .forEach(other -> ledger.cancel(other, "thought better of it"));
        });
        both.countDown();
        await().until(() -> jobs.stream().allMatch(job -> pulls.isReady(ledger.job(job.id()).orElseThrow())));
        for (Job job : jobs) {
            if (job.id().equals(first.get())) assertThat(told(job)).endsWith("its model is here now");
            else assertThat(told(job)).as("%s, which was cancelled", job.id()).isEmpty();
        }
    }

    @Test
    void aJobThatCannotBeToldKeepsNobodyWaitingAndIsToldLater() throws IOException {
        CountDownLatch gone = new CountDownLatch(1);
        hub.failing(SHARD, (_, _) -> {
            awaitQuietly(gone);
            return false;
        });
        Job otto = waiting("otto");
        Job maya = waiting("maya");
        await().until(() -> !told(maya).isEmpty() && !told(otto).isEmpty());
        Path elsewhere = folder.resolve("maya");
        Files.move(ledger.work().job(maya.id()), elsewhere);
        Files.createFile(ledger.work().job(maya.id()));
        gone.countDown();
        await().until(() -> pulls.isReady(ledger.job(otto.id()).orElseThrow()));
        assertThat(told(otto)).endsWith("its model is here now");
        Files.delete(ledger.work().job(maya.id()));
        Files.move(elsewhere, ledger.work().job(maya.id()));
        await().until(() -> told(maya).contains("its model is here now"));
        assertThat(told(otto)).doesNotHaveDuplicates();
        assertThat(hub.asked("hub", "/revision/main")).hasSize(1);
    }

    @Test
    void whoEndsTheLastJobHimselfIsNotInterrupted() {
        AtomicBoolean interrupted = new AtomicBoolean();
        pulls.onChange(() -> interrupted.compareAndSet(false, Thread.currentThread().isInterrupted()));
        hub.failing("revision", FakeHub.status(404));
        Job job = waiting("maya");
        await().until(() -> ledger.job(job.id()).orElseThrow().state() == JobState.FAILED && changes.get() > 0);
        assertThat(interrupted).isFalse();
    }

    /// While the hub is waited for, where nothing but a broken program throws it.
    @Test
    void anErrorOfTheMachinesOwnIsTriedAgainWithRests() {
        broken.set(3);
        for (int i = 0; i < 3; i++) hub.failing("revision", FakeHub.status(500));
        Job job = waiting("maya");
        await().until(() -> told(job).contains("its model is here now"));
        assertThat(told(job)).filteredOn(text -> text.contains("is tried again")).singleElement().asString()
                .contains("LinkageError");
        assertThat(hub.asked("hub", "/revision/main")).hasSize(4);
    }

    /// Nor does anything else that a recipe may name.
    @Test
    void otherModelsWaitForNobody() {
        for (String where : List.of(root.resolve("tiny").toString(), "bundle-0/own", folder + "/Qwen-Image")) {
            Job job = add(where.replaceAll("[^a-z]", "").substring(0, 6) + where.length(), where);
            assertThat(pulls.isReady(job)).as(where).isTrue();
        }
        assertThat(hub.asked()).isEmpty();
    }

    @Test
    void whereNothingIsFetchedEverythingIsReady() {
        ModelPulls never = pulls(false);
        never.start();
        pulls.stop();
        assertThat(never.isReady(waiting("maya"))).isTrue();
    }

    private ModelPulls pulls(boolean missing) {
        Patience patient = new Patience(AT_ONCE, 3, Duration.ofSeconds(5), Duration.ofSeconds(20), time -> {
            if (broken.getAndUpdate(left -> Math.max(0, left - 1)) > 0) throw new LinkageError("half a program");
        });
        ModelPulls made = new ModelPulls(ledger, missing
                ? new ModelSearch.OrToCome(new ModelSearch.Below(folder, List.of(root))) : null,
                new HubAccess(hub.endpoint(), null, patient), AT_ONCE, 0);
        made.onChange(changes::incrementAndGet);
        return made;
    }

    private Job waiting(String name) {
        return add(name, root.resolve("Qwen-Image").toString());
    }

    private Job add(String name, String modelFolder) {
        try {
            Path prepared = Files.createDirectories(ledger.work().incoming().resolve(name));
            Job job = Job.queued(new JobId(name), name, "test", "0".repeat(64), "bundle-0", null, 0, ledger.now(), 1, 1,
                    null).withModelFolder(modelFolder);
            return ledger.add(prepared, job, new Event.Queued(name, "test", "0".repeat(64), 1, 1)).job();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private List<String> told(Job job) {
        try (Stream<String> lines = Files.lines(ledger.work().journal(job.id()))) {
            return lines.map(line -> EventLine.parse(line).orElseThrow())
                    .filter(line -> line.type().equals("nocturne.job.notice.v1"))
                    .map(line -> line.data().path("message").asText()).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            boolean _ = latch.await(2, TimeUnit.MINUTES);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
