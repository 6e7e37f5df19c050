package nocturne.service.pull;

import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import nocturne.hub.ModelId;
import nocturne.hub.PullRequest;
import nocturne.job.Job;
import nocturne.job.JobState;
import nocturne.job.Ledger;
import nocturne.plan.ModelSearch;
import nocturne.problem.Backoff;
import nocturne.service.DiskConfig;
import nocturne.service.ModelsConfig;
import nocturne.service.Part;
import nocturne.service.Provisions;
import nocturne.service.ServiceConfig;
import org.jspecify.annotations.Nullable;

/// Sees to it that queued jobs have their models; see [ModelsConfig.Pull].
///
/// A job whose model was not found has the folder where it is to come. As long as nothing whole is there, the job is
/// not ready, and somebody fetches it: one thread for each model.
@Singleton
final class ModelPulls implements Part, Provisions {
    private static final Backoff BACKOFF = new Backoff(Duration.ofSeconds(15), Duration.ofMinutes(10));
    private static final int CONNECTIONS = 4;
    private static final Duration LEAVING = Duration.ofSeconds(5);

    private final Ledger ledger;
    private final ModelSearch.@Nullable OrToCome models;
    private final @Nullable HubAccess hub;
    private final Backoff backoff;
    private final long reserve;
    private final Set<ModelId> here = ConcurrentHashMap.newKeySet();
    private final Map<ModelId, Errand> errands = new ConcurrentHashMap<>();
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
    private volatile boolean stopping;

    private record Errand(Waiting waiting, Thread thread) {}

    @Inject
    ModelPulls(Ledger ledger, ServiceConfig config, ModelsConfig models, DiskConfig disk) {
        this(ledger, models.toCome(config.home()).orElse(null),
                models.pull() == ModelsConfig.Pull.MISSING ? HubAccess.of(System.getenv()) : null, BACKOFF,
                disk.reserve());
    }

    /// @param models null where nothing is ever fetched; then every job is ready
    ModelPulls(Ledger ledger, ModelSearch.@Nullable OrToCome models, @Nullable HubAccess hub, Backoff backoff,
            long reserve) {
        this.ledger = ledger;
        this.models = models;
        this.hub = hub;
        this.backoff = backoff;
        this.reserve = reserve;
    }

    @Override
    public int getOrder() {
        return RUNNING - 1;
    }

    /// Also of what an earlier run of this service had begun.
    @Override
    public void start() {
        if (models == null) return;
        ledger.listen(this::look);
        ledger.jobs().forEach(this::look);
    }

    private void look(Job job) {
        if (job.state() == JobState.QUEUED) {
            if (!isReady(job)) awaited(job).map(errands::get).ifPresent(errand -> errand.waiting().greet(job));
        } else if (job.isTerminal()) {
            // The one that fetches may have ended it itself, and has more to do.
            awaited(job).map(errands::get).filter(errand -> errand.thread() != Thread.currentThread())
                    .filter(errand -> !errand.waiting().isAnybodyThere())
                    .ifPresent(errand -> errand.thread().interrupt());
        }
    }

    @Override
    public boolean isReady(Job job) {
        Optional<ModelId> id = awaited(job);
        if (id.isEmpty()) return true;
        // It may have been moved away since.
        if (here.contains(id.get()) && Files.isDirectory(Path.of(String.valueOf(job.modelFolder())))) return true;
        fetch(id.get());
        return false;
    }

    @Override
    public void onChange(Runnable listener) {
        listeners.add(listener);
    }

    /// The model that is to come, or has come, to where this job expects it.
    private Optional<ModelId> awaited(Job job) {
        ModelSearch.OrToCome search = models;
        if (search == null || job.modelFolder() == null) return Optional.empty();
        return ModelId.KNOWN.stream().filter(id -> search.target(id).toString().equals(job.modelFolder())).findFirst();
    }

    private void fetch(ModelId id) {
        ModelSearch.OrToCome search = models;
        HubAccess access = hub;
        if (stopping || search == null || access == null) return;
        here.remove(id);
        var _ = errands.computeIfAbsent(id, _ -> {
            Waiting waiting = new Waiting(ledger, job -> awaited(job).filter(id::equals).isPresent());
            Fetching fetching = new Fetching(search,
                    new PullRequest(id, null, search.target(id), List.of(), CONNECTIONS, reserve), access, backoff,
                    waiting, () -> isHere(id));
            return new Errand(waiting, Thread.ofVirtual().name("pull " + id).start(() -> run(id, fetching)));
        });
    }

    private void run(ModelId id, Fetching fetching) {
        try {
            fetching.bring();
        } finally {
            errands.remove(id);
            listeners.forEach(Runnable::run);
        }
    }

    private void isHere(ModelId id) {
        here.add(id);
        listeners.forEach(Runnable::run);
    }

    @Override
    public void stop() {
        stopping = true;
        List<Thread> threads = errands.values().stream().map(Errand::thread).toList();
        threads.forEach(Thread::interrupt);
        try {
            for (Thread thread : threads) thread.join(LEAVING);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
