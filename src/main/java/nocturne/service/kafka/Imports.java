package nocturne.service.kafka;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import nocturne.io.AtomicFiles;
import nocturne.job.Job;
import nocturne.job.Ledger;
import nocturne.problem.Backoff;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import nocturne.service.BundleSource;
import nocturne.service.Incoming;
import nocturne.service.Intake;
import nocturne.service.Intake.Verdict;
import nocturne.service.message.JobRequest;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Makes jobs of what was claimed. First the claims topic is asked whether the claim is really ours, then the bundle is
/// fetched and taken like any other; what fails now is a failure of the job, not of the claim.
final class Imports {
    private static final Logger LOG = LoggerFactory.getLogger(Imports.class);
    private static final Duration CATCHING_UP = Duration.ofSeconds(5);
    private static final Duration LATER = Duration.ofSeconds(2);
    private static final Backoff SICK_DISK = new Backoff(Duration.ofSeconds(2), Duration.ofMinutes(1));
    /// Fetching and unpacking wait for the network and the disk; more at once would only wait longer.
    private static final int AT_ONCE = 4;

    private final KafkaLink link;
    private final ClaimBook book;
    private final Pending pending;
    private final Ledger ledger;
    private final Intake intake;
    private final BundleSource source;
    private final Consumer<Claim> announce;
    private final Consumer<String> passing;
    private final ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor();
    private final ScheduledExecutorService later =
            Executors.newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().name("kafka-imports").factory());
    private final Semaphore atOnce = new Semaphore(AT_ONCE);
    private final Deque<Pending.Batch> undecided = new ArrayDeque<>();
    private final Map<String, Claim> underWay = new ConcurrentHashMap<>();
    private final AtomicInteger outstanding = new AtomicInteger();
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();

    /// @param announce tells the world what became of a claim that did not become a job of its own
    Imports(KafkaLink link, ClaimBook book, Pending pending, Ledger ledger, Intake intake, BundleSource source,
            Consumer<Claim> announce, Consumer<String> passing) {
        this.link = link;
        this.book = book;
        this.pending = pending;
        this.ledger = ledger;
        this.intake = intake;
        this.source = source;
        this.announce = announce;
        this.passing = passing;
    }

    /// Takes up what an earlier run of this service left.
    void start() {
        pending.left().forEach(this::decide);
    }

    void stop() {
        later.shutdownNow();
        workers.shutdownNow();
    }

    /// How many claims are on their way to become jobs.
    int outstanding() {
        return outstanding.get();
    }

    /// Called, on any thread, when there are fewer.
    void onChange(Runnable listener) {
        listeners.add(listener);
    }

    /// The claims that are being made jobs of.
    List<Claim> underWay() {
        return List.copyOf(underWay.values());
    }

    /// Reads from the claims topic which of these claims are ours, and imports those. While Kafka does not answer they
    /// wait.
    void decide(Pending.Batch batch) {
        outstanding.addAndGet(batch.items().size());
        synchronized (undecided) {
            undecided.add(batch);
        }
        decideAll();
    }

    private void decideAll() {
        List<Pending.Batch> batches;
        synchronized (undecided) {
            batches = List.copyOf(undecided);
        }
        if (batches.isEmpty()) return;
        if (!link.catchUp(CATCHING_UP)) {
            again(this::decideAll, LATER);
            return;
        }
        for (Pending.Batch batch : batches) {
            synchronized (undecided) {
                if (!undecided.remove(batch)) continue;
            }
            importOurs(batch);
        }
    }

    private void importOurs(Pending.Batch batch) {
        Set<Job.Claim> imported = batch.isOld() ? imported() : Set.of();
        List<Pending.Item> ours = new ArrayList<>();
        for (Pending.Item item : batch.items()) {
            if (book.stands(item.claim()) && !imported.contains(promised(item.claim()))) ours.add(item);
        }
        passing.accept("claim.decided");
        AtomicInteger left = new AtomicInteger(ours.size());
        if (ours.size() < batch.items().size()) done(batch.items().size() - ours.size());
        if (ours.isEmpty()) pending.forget(batch);
        for (Pending.Item item : ours) {
            underWay.put(item.claim().request(), item.claim());
            workers.execute(() -> importOne(item, 0, settled -> {
                if (settled && left.decrementAndGet() == 0) pending.forget(batch);
                underWay.remove(item.claim().request());
                done(1);
            }));
        }
    }

    /// Before the service stopped, maybe.
    private Set<Job.Claim> imported() {
        return ledger.stream().map(Job::claim).filter(Objects::nonNull).collect(Collectors.toSet());
    }

    private static Job.Claim promised(Claim claim) {
        return new Job.Claim(claim.request(), claim.attempt());
    }

    private void done(int items) {
        outstanding.addAndGet(-items);
        listeners.forEach(Runnable::run);
    }

    /// @param end told once, at the end of the last try: whether there was an answer
    private void importOne(Pending.Item item, int tries, Consumer<Boolean> end) {
        boolean settled = false;
        try {
            atOnce.acquire();
            try {
                settle(item.claim(), take(item));
                passing.accept("claim.imported");
            } finally {
                atOnce.release();
            }
            settled = true;
        } catch (SickMachine sick) {
            if (tries == 0) LOG.warn("request {} cannot become a job yet: {}", item.claim().request(),
                    sick.getMessage());
            again(() -> workers.execute(() -> importOne(item, tries + 1, end)), SICK_DISK.after(tries + 1));
            return;
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
            return;
        } catch (RuntimeException bug) {
            // What is pending stays, so the next start tries again; the device is free for others until then.
            LOG.error("importing request {} failed", item.claim().request(), bug);
        }
        // Behind all catches, so that what goes wrong in it cannot call it again.
        end.accept(settled);
    }

    private Verdict take(Pending.Item item) {
        Claim claim = item.claim();
        String origin = "kafka:%s/%d@%d".formatted(claim.topic(), claim.partition(), claim.offset());
        Job.Claim promised = promised(claim);
        JobRequest asked = item.job();
        if (asked == null) {
            return intake.take(new Incoming(zipOf(item), item.name(), origin, null, null, 0, false, promised));
        }
        Path folder = newFolder();
        try {
            Path bundle;
            try {
                bundle = source.fetch(asked.bundle().uri(), asked.bundle().sha256(), folder);
            } catch (UserMistake mistake) {
                return intake.refuse(new Incoming(folder, asked.name(), origin, asked.id(), asked.model(),
                        asked.priority(), asked.rerun(), promised), mistake.problems());
            }
            return intake.take(new Incoming(bundle, asked.name(), origin, asked.id(), asked.model(), asked.priority(),
                    asked.rerun(), promised));
        } finally {
            Pending.delete(folder);
        }
    }

    private static Path zipOf(Pending.Item item) {
        Path zip = item.zip();
        if (zip == null) throw new IllegalStateException("a request without a bundle");
        return zip;
    }

    private Path newFolder() {
        try {
            Files.createDirectories(ledger.work().incoming());
            return Files.createTempDirectory(ledger.work().incoming(), "kafka-");
        } catch (IOException e) {
            throw AtomicFiles.explained(e, ledger.work().incoming());
        }
    }

    private void settle(Claim claim, Verdict verdict) {
        switch (verdict) {
            case Verdict.Accepted(Job job) -> announce.accept(claim.of(job));
            case Verdict.Refused(Job job, var problems) -> announce.accept(claim.of(job));
            case Verdict.Duplicate(Job job) -> {
                Job.Claim before = job.claim();
                boolean isOurEarlierTurn = before != null && before.request().equals(claim.request());
                if (isOurEarlierTurn && !job.isTerminal()) {
                    // This host was silent, was followed, and is its own follower.
                    Job now = ledger.note(job.id(),
                            was -> was.withClaim(promised(claim)));
                    announce.accept(claim.of(now));
                } else {
                    announce.accept(isOurEarlierTurn ? claim.of(job) : claim.answeredBy(job));
                }
            }
        }
    }

    private void again(Runnable task, Duration pause) {
        try {
            var _ = later.schedule(task, pause.toMillis(), TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException stopping) {
            // The next start takes it up.
        }
    }
}
