package nocturne.service.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import nocturne.event.Event;
import nocturne.io.ContentHash;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.job.Ledger;
import nocturne.job.WorkFolder;
import nocturne.problem.Problem;
import nocturne.service.CommandDesk;
import nocturne.service.Incoming;
import nocturne.service.Intake;
import nocturne.service.Ownership;
import nocturne.service.RunningJobs;
import nocturne.service.Slots;
import org.apache.camel.CamelContext;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.spi.PropertiesSource;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.apache.camel.support.SimpleRegistry;

/// A host whose Kafka side is the real one, routes included, and whose bundles, devices and trainers are pretended: a
/// job is accepted as it comes, and takes the time that the test says.
final class TestHost implements AutoCloseable {
    final String name;
    final Ledger ledger;
    final KafkaLink link;
    final KafkaJobs jobs;
    final ClaimBook book;
    final Ownership ownership;
    final CamelContext camel;
    final Devices devices;
    final List<Event> hostEvents = new CopyOnWriteArrayList<>();
    final List<String> published = new CopyOnWriteArrayList<>();
    final List<CommandDesk.Command> commands = new CopyOnWriteArrayList<>();
    private final ScheduledExecutorService trainers = Executors.newScheduledThreadPool(2);
    private volatile Duration training;
    volatile boolean failing;
    /// Makes the intake fail in a way that nobody foresaw.
    volatile boolean broken;
    final AtomicInteger faults = new AtomicInteger();

    /// The topics of one test, and what is short there so that the test is.
    static KafkaConfig config(String bootstrap, String prefix, Duration beat, Duration lease) {
        return new KafkaConfig(bootstrap, prefix, prefix + ".jobs", prefix + ".claims", prefix + ".events",
                prefix + ".commands", prefix + ".dlq", 6, 1, beat, lease, 4 << 20);
    }

    TestHost(KafkaConfig config, String name, Path work, int devices, Duration training, Consumer<String> passing) {
        this(new KafkaSettings(config, Map.of()), name, work, devices, training, passing);
    }

    TestHost(KafkaSettings settings, String name, Path work, int devices, Duration training,
            Consumer<String> passing) {
        this.name = name;
        this.training = training;
        this.ledger = Ledger.open(new WorkFolder(work), name, InstantSource.system());
        this.devices = new Devices(devices);
        this.book = new ClaimBook(System::nanoTime);
        this.link = new KafkaLink(settings, book, Duration.ofMillis(300), Duration.ofSeconds(3));
        SimpleRegistry registry = new SimpleRegistry();
        this.camel = new DefaultCamelContext(registry);
        this.jobs = new KafkaJobs(settings, link, book, ledger, new AnyBundle(), (uri, hash, into) -> into,
                this.devices,
                new Trainers(), hostEvents::add, camel, name, InstantSource.system(), passing);
        this.ownership = new ClaimOwnership(link, book, ledger, name);
        registry.bind("jobClaims", jobs.claimant());
        registry.bind("commandRecords",
                new CommandRecords((command, origin) -> commands.add(command), hostEvents::add,
                        InstantSource.system()));
        registry.bind("polledRecords", new PolledRecords());
        registry.bind("kafkaClients", new CamelClients(settings));
        camel.getPropertiesComponent().addPropertiesSource(new Placeholders(settings.config(), name));
        ledger.listen(job -> {
            if (job.state() == JobState.QUEUED) train(job.id());
            this.devices.changed();
        });
    }

    TestHost start() {
        try {
            camel.setAutoStartup(false);
            camel.start();
            for (String route : List.of("kafka-jobs", "kafka-dead-letters", "kafka-commands")) {
                // The real route, but a host that stands still is put out of the group sooner.
                String yaml = Files.readString(Path.of("routes", route + ".camel.yaml"))
                        .replace("sessionTimeoutMs: 10000", "sessionTimeoutMs: 3000");
                Resource file = ResourceHelper.fromString(route + ".camel.yaml", yaml);
                PluginHelper.getRoutesLoader(camel).loadRoutes(List.of(file));
            }
            camel.getRouteController().startRoute("kafka-dead-letters");
            camel.getRouteController().startRoute("kafka-commands");
        } catch (Exception e) {
            throw new AssertionError(e);
        }
        link.start();
        jobs.start();
        for (Job job : ledger.jobs()) goOn(job);
        return this;
    }

    /// What a restart does to a job that an earlier self was working on.
    private void goOn(Job job) {
        if (job.state() == JobState.RUNNING) {
            ledger.advance(job.id(), now -> now.in(JobState.QUEUED, "", ""), new Event.Interrupted(0, "RESTARTED", ""));
        } else if (job.state() == JobState.PUBLISHING) {
            end(job.id());
        } else if (!job.isTerminal()) {
            train(job.id());
        }
    }

    List<Job> in(JobState state) {
        return ledger.jobs().stream().filter(job -> job.state() == state).toList();
    }

    void trainFor(Duration time) {
        training = time;
    }

    private void train(JobId id) {
        var _ = trainers.schedule(() -> {
            if (ledger.job(id).orElseThrow().state() != JobState.QUEUED) return;
            ledger.advance(id, job -> job.startedAs(new Job.Child(1, 1, ""), "fake"),
                    new Event.Started("x", 1, 1, "fake"));
            var _ = trainers.schedule(() -> end(id), training.toMillis(), TimeUnit.MILLISECONDS);
        }, 0, TimeUnit.MILLISECONDS);
    }

    private void end(JobId id) {
        Job job = ledger.job(id).orElseThrow();
        if (job.isTerminal()) return;
        if (!failing) ledger.note(id, now -> now.state() == JobState.RUNNING ? now.in(JobState.PUBLISHING, "", "")
                : now);
        if (failing) {
            ledger.advance(id, now -> now.in(JobState.FAILED, "CRASHED", "the trainer crashed three times"),
                    new Event.Failed("CRASHED", "x", List.of()));
        } else if (ownership.stillOurs(id)) {
            published.add(id.text());
            ledger.advance(id, now -> now.isTerminal() ? now : now.in(JobState.COMPLETED, "", ""),
                    new Event.Completed(1, "a", "b", 0, "c"));
        } else {
            ledger.advance(id, now -> now.isTerminal() ? now : now.in(JobState.SUPERSEDED, "SUPERSEDED", ""),
                    new Event.Superseded("?", 0));
        }
    }

    @Override
    public void close() {
        jobs.stop();
        link.stop();
        camel.stop();
        trainers.shutdownNow();
        ledger.close();
    }

    /// As a process that is gone from one moment to the next: nothing is said to anybody, not even by what it had sent.
    final class Devices implements Slots {
        private final int count;
        private final List<Runnable> listeners = new ArrayList<>();

        Devices(int count) {
            this.count = count;
        }

        @Override
        public int free() {
            return count - (int) ledger.jobs().stream().filter(job -> !job.isTerminal()).count();
        }

        @Override
        public void onChange(Runnable listener) {
            listeners.add(listener);
        }

        void changed() {
            listeners.forEach(Runnable::run);
        }
    }

    private static final class Trainers implements RunningJobs {
        @Override
        public void cancel(JobId id) {
            // A pretended trainer looks at its job's state before it does anything.
        }

        @Override
        public void drain(String reason) {
            throw new UnsupportedOperationException();
        }
    }

    private final class AnyBundle implements Intake {
        @Override
        public Verdict take(Incoming bundle) {
            if (broken) {
                faults.incrementAndGet();
                throw new IllegalStateException("a bug");
            }
            JobId id = new JobId(bundle.id() != null ? bundle.id() : bundle.claim().request());
            String hash = ContentHash.ofBytes(bundle.name().getBytes(UTF_8));
            Job job = Job.queued(id, bundle.name(), bundle.origin(), hash, "", bundle.model(), bundle.priority(),
                    Instant.now().toString(), 1, 1, bundle.claim());
            Ledger.Added added = ledger.add(folder(id), job, new Event.Queued(bundle.name(), bundle.origin(), "", 1,
                    1));
            return added.isNew() ? new Verdict.Accepted(added.job()) : new Verdict.Duplicate(added.job());
        }

        @Override
        public Optional<Verdict> answerGivenBefore(Incoming bundle) {
            return Optional.empty();
        }

        @Override
        public Verdict.Refused refuse(Incoming bundle, List<Problem> problems) {
            JobId id = new JobId(bundle.claim().request());
            Job job = Job.refused(id, bundle.name(), bundle.origin(), "", Instant.now().toString(), problems,
                    bundle.claim());
            return new Verdict.Refused(ledger.add(folder(id), job, new Event.Rejected(bundle.name(), problems)).job(),
                    problems);
        }

        private Path folder(JobId id) {
            try {
                return Files.createTempDirectory(ledger.work().incoming(), id.text());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static final class Placeholders implements PropertiesSource {
        private final Map<String, String> values;

        Placeholders(KafkaConfig config, String host) {
            values = Map.of("nocturne.host", host, "nocturne.kafka.brokers", config.brokers(), "nocturne.kafka.jobs",
                    config.jobs(), "nocturne.kafka.group", config.group(),
                    "nocturne.kafka.dead-letters", config.deadLetters(), "nocturne.kafka.commands", config.commands());
        }

        @Override
        public String getName() {
            return "test";
        }

        @Override
        public String getProperty(String name) {
            return values.get(name);
        }
    }
}
