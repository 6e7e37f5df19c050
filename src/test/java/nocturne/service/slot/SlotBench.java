package nocturne.service.slot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micronaut.context.ApplicationContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import nocturne.event.Event;
import nocturne.event.EventLine;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.job.Ledger;
import nocturne.job.WorkFolder;
import nocturne.service.DiskConfig;
import nocturne.service.ModelsConfig;
import nocturne.service.Provisions;
import nocturne.service.ServiceConfig;
import nocturne.service.fake.FakeBundle;
import nocturne.service.fake.FakeEngine;

/// Real slots on a real ledger with real processes: the trainers are fakes, and what comes after training is noted and
/// not done, so a job that was trained stays in the state "publishing".
final class SlotBench implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofSeconds(60);

    private static final Provisions EVERYTHING = new Provisions() {
        @Override
        public boolean isReady(Job job) {
            return true;
        }

        @Override
        public void onChange(Runnable listener) {
            // Never.
        }
    };

    private final Path folder;
    private final Map<String, Object> properties = new HashMap<>();
    private final List<Event> hostEvents = new CopyOnWriteArrayList<>();
    private SlotFactory.World world = SlotFactory.World.real();
    private ApplicationContext context;
    private Ledger ledger;
    private Provisions provisions = EVERYTHING;
    private Dispatcher dispatcher;
    private int jobs;

    SlotBench(Path folder) {
        this.folder = folder;
        properties.put("nocturne.home", Path.of("").toAbsolutePath().toString());
        properties.put("nocturne.work", folder.resolve("work").toString());
        properties.put("nocturne.outbox", folder.resolve("outbox").toString());
        properties.put("nocturne.host", "bench");
        properties.put("nocturne.slots", "cpu");
        properties.put("micronaut.health.monitor.enabled", false);
        properties.put("nocturne.grace", "20s");
        properties.put("nocturne.trainer.command", FakeEngine.command());
        properties.put("nocturne.trainer.look", "20ms");
        properties.put("nocturne.trainer.pause", "50ms");
        properties.put("nocturne.disk.reserve", 0);
    }

    /// @param setting below `nocturne.`
    SlotBench with(String setting, Object value) {
        properties.put("nocturne." + setting, value);
        return this;
    }

    SlotBench in(SlotFactory.World another) {
        world = another;
        return this;
    }

    SlotBench with(Provisions needed) {
        provisions = needed;
        return this;
    }

    SlotFactory.World world() {
        return world;
    }

    /// Opens the ledger, so that jobs can be added.
    SlotBench open() {
        if (ledger == null) {
            ledger = Ledger.open(new WorkFolder(folder.resolve("work")), "bench", InstantSource.system());
        }
        return this;
    }

    SlotBench start() throws InterruptedException {
        open();
        dispatcher = SlotFactory.dispatcher(settings(), ledger, hostEvents::add, provisions, world);
        dispatcher.start();
        return this;
    }

    SlotFactory.Settings settings() {
        // The real binding, with its defaults; nothing else of the service is started by it.
        context = ApplicationContext.run(properties);
        return new SlotFactory.Settings(context.getBean(ServiceConfig.class),
                context.getBean(ModelsConfig.class), context.getBean(DiskConfig.class),
                context.getBean(SlotSettings.class), context.getBean(TrainerSettings.class),
                context.getBean(HangLimits.class), context.getBean(GpuSettings.class));
    }

    JobId add(String name, String... script) throws IOException {
        return add(0, name, script);
    }

    JobId add(int priority, String name, String... script) throws IOException {
        open();
        FakeBundle bundle = FakeBundle.of(name, script);
        Path prepared = ledger.work().incoming().resolve(name + "-" + jobs);
        bundle.folder(prepared.resolve("bundle-0"));
        JobId id = new JobId(name);
        // One after the other in time, because the oldest goes first.
        String created = Instant.EPOCH.plusSeconds(jobs++).toString();
        ledger.add(prepared, Job.queued(id, name, "bench:" + name, "0".repeat(64), "bundle-0", null, priority, created,
                bundle.steps(), 1, null), new Event.Queued(name, "bench:" + name, "0".repeat(64), bundle.steps(), 1));
        return id;
    }

    Job job(JobId id) {
        return ledger.job(id).orElseThrow();
    }

    Job awaitState(JobId id, JobState state) {
        // The job that was seen: it may be in another state already.
        Job seen = await().atMost(PATIENCE).pollInterval(Duration.ofMillis(10))
                .until(() -> job(id), job -> job.state() == state || job.isTerminal());
        assertThat(seen.state()).as("%s", seen).isEqualTo(state);
        // A state is reached, and seen, before its line is in the journal.
        await().atMost(PATIENCE).until(() -> ledger.sequence(id) >= seen.sequence());
        return seen;
    }

    /// Until the trainer has made this step.
    void awaitStep(JobId id, long step) {
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(10)).until(() -> steps(id) >= step);
    }

    private long steps(JobId id) throws IOException {
        Path log = ledger.work().run(id).resolve("events.jsonl");
        if (Files.notExists(log)) return 0;
        return Files.readAllLines(log).stream().map(EventLine::parse).flatMap(Optional::stream)
                .filter(line -> line.type().equals("nocturne.job.stepped.v1"))
                .mapToLong(line -> line.data().path("step").asLong()).max().orElse(0);
    }

    List<EventLine> journal(JobId id) {
        try {
            List<EventLine> lines = new ArrayList<>();
            for (String line : Files.readAllLines(ledger.work().journal(id))) {
                EventLine.parse(line).ifPresent(lines::add);
            }
            return lines;
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Without `nocturne.` and `.v1`.
    List<String> types(JobId id) {
        return journal(id).stream().map(line -> line.type().replaceAll("^nocturne\\.|\\.v1$", "")).toList();
    }

    /// Codes of the interruptions so far.
    List<String> interruptions(JobId id) {
        return journal(id).stream().filter(line -> line.type().equals("nocturne.job.interrupted.v1"))
                .map(line -> line.data().path("code").asText()).toList();
    }

    Path run(JobId id) {
        return ledger.work().run(id);
    }

    Path trainerLog(JobId id) {
        return ledger.work().trainerLog(id);
    }

    List<Event> hostEvents() {
        return hostEvents;
    }

    Ledger ledger() {
        return ledger;
    }

    Dispatcher slots() {
        return dispatcher;
    }

    Path folder() {
        return folder;
    }

    /// As the service's end does.
    void stop() {
        if (dispatcher != null) dispatcher.stop();
        dispatcher = null;
        if (ledger != null) ledger.close();
        ledger = null;
        if (context != null) context.close();
        context = null;
    }

    @Override
    public void close() {
        stop();
    }
}
