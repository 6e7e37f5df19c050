package nocturne.service.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import nocturne.event.Event;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.Ledger;
import nocturne.job.WorkFolder;
import nocturne.problem.Problem;
import nocturne.promise.Promise;
import nocturne.service.Incoming;
import nocturne.service.Intake;
import nocturne.service.broker.TestBroker;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What was claimed becomes a job, now or at a later start, and holds a device no longer than that takes.
final class ImportsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(40);
    private static final byte[] ZIP = {'P', 'K', 3, 4, 5};

    private final KafkaConfig config = TestHost.config(TestBroker.bootstrap(), TestBroker.fresh("imports"),
            Duration.ofSeconds(1), Duration.ofMinutes(5));
    private final ClaimBook book = new ClaimBook(System::nanoTime);
    private final KafkaLink link = new KafkaLink(new KafkaSettings(config, Map.of()), book);
    private final NotingIntake intake = new NotingIntake();
    private final List<Imports> starts = new ArrayList<>();

    @TempDir
    Path folder;

    private Ledger ledger;
    private Pending pending;

    @BeforeEach
    void open() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", config.brokers()))) {
            assertThat(new Topics(config).create(admin)).isEmpty();
        }
        ledger = Ledger.open(new WorkFolder(folder.resolve("work")), "a", InstantSource.system());
        pending = new Pending(ledger.work().pending());
        link.start();
    }

    @AfterEach
    void close() {
        starts.forEach(Imports::stop);
        link.stop();
        ledger.close();
    }

    /// As a start of the service does.
    private Imports start() {
        Imports imports = new Imports(link, book, pending, ledger, intake, (uri, hash, into) -> into, claim -> {},
                place -> {});
        starts.add(imports);
        imports.start();
        return imports;
    }

    /// Writes requests down, and the claims topic says that they are ours.
    @SafeVarargs
    private Pending.Batch claimed(Map.Entry<String, byte[]>... records) {
        List<Claim> claims = new ArrayList<>();
        List<Envelope> requests = new ArrayList<>();
        for (Map.Entry<String, byte[]> record : records) {
            Envelope request = Envelope.read(record.getKey(), record.getValue(), Map.of(), "0-0", config.largest());
            Claim claim = Claim.first(request.request(), 1, "a", config.jobs(), 0, 0);
            requests.add(request);
            claims.add(claim);
            book.read(claim);
        }
        return pending.write(claims, requests);
    }

    private static Map.Entry<String, byte[]> request(String id) {
        return Map.entry(id, Topic.request(id).getBytes(StandardCharsets.UTF_8));
    }

    /// A device that was given back twice, or never, would leave a number other than 0.
    @Test
    @Promise(row = 12, fault = "a bug while one of two requests that were claimed together becomes a job")
    void aBugGivesTheDeviceBackOnceAndTheRequestIsKept() {
        intake.hasBug = true;
        Imports imports = start();
        imports.decide(claimed(request("bug"), request("good")));
        await().atMost(PATIENCE).until(() -> imports.underWay().isEmpty());
        imports.decide(claimed(request("next")));
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(intake.taken).contains("next"));
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(imports.outstanding()).isZero());
        assertThat(intake.taken).containsExactlyInAnyOrder("good", "next");

        imports.stop();
        intake.hasBug = false;
        start();
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(ledger.work().pending()).isEmptyDirectory());
        assertThat(intake.taken).containsExactlyInAnyOrder("good", "next", "bug");
    }

    @Test
    @Promise(row = 1, fault = "a disk that does not read the list of what was claimed, for one start")
    void aListThatCannotBeReadIsKeptForTheStartThatCan() throws IOException {
        Pending.Batch batch = claimed(Map.entry("maya.zip", ZIP), request("otto"));
        Path list = batch.folder().resolve("claims.json");
        Path aside = Files.move(list, folder.resolve("aside"));
        // To read it is an error now, for every user of the machine.
        Files.createDirectory(list);
        assertThat(start().outstanding()).isZero();
        assertThat(batch.folder()).isDirectoryContaining(file -> file.toString().endsWith(".zip"));

        Files.delete(list);
        Files.move(aside, list);
        start();
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(ledger.work().pending()).isEmptyDirectory());
        assertThat(ledger.jobs()).extracting(Job::name).containsExactlyInAnyOrder("maya", "otto");
        assertThat(intake.taken).hasSize(2);
    }

    /// The list is written last, and nothing is claimed before.
    @Test
    void whatHasNoListWasNotClaimedAndGoes() throws IOException {
        Path zip = ledger.work().pending().resolve("half/maya.zip");
        Files.createDirectories(zip.getParent());
        Files.write(zip, ZIP);
        assertThat(start().outstanding()).isZero();
        assertThat(ledger.work().pending()).isEmptyDirectory();
    }

    /// Takes everything, but for what is called `bug` while it has one.
    private final class NotingIntake implements Intake {
        final List<String> taken = new CopyOnWriteArrayList<>();
        volatile boolean hasBug;

        @Override
        public Verdict take(Incoming bundle) {
            Job.Claim claim = Objects.requireNonNull(bundle.claim());
            if (hasBug && claim.request().equals("bug")) throw new IllegalStateException("a bug");
            taken.add(claim.request());
            Job job = Job.queued(new JobId(claim.request()), bundle.name(), bundle.origin(), "0".repeat(64), "", null,
                    0, Instant.now().toString(), 1, 1, claim);
            try {
                Path prepared = Files.createTempDirectory(ledger.work().incoming(), "bundle");
                return new Verdict.Accepted(ledger.add(prepared, job,
                        new Event.Queued(bundle.name(), bundle.origin(), "", 1, 1)).job());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public Optional<Verdict> answerGivenBefore(Incoming bundle) {
            return Optional.empty();
        }

        @Override
        public Verdict.Refused refuse(Incoming bundle, List<Problem> problems) {
            throw new AssertionError("nothing here is refused: " + problems);
        }
    }
}
