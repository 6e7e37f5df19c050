package nocturne.service.publish;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micronaut.context.annotation.Value;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.Ledger;
import nocturne.problem.Backoff;
import nocturne.service.Part;
import nocturne.service.Secret;
import nocturne.service.ServiceConfig;
import org.apache.camel.CamelContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Tells Kafka and every webhook what happens, each at its own pace.
@Singleton
final class Relays implements Part {
    private static final Logger LOG = LoggerFactory.getLogger(Relays.class);
    private static final Backoff PATIENCE = new Backoff(Duration.ofSeconds(1), Duration.ofSeconds(30));
    private static final int KAFKA_THREADS = 8;
    private static final int WEBHOOK_THREADS = 2;
    private static final long HOST_LOOK_MILLIS = 1_000;
    private static final long LAST_WORDS_MILLIS = 5_000;
    private static final Set<String> ABOUT_FILES = Set.of("nocturne.sample.written.v1",
            "nocturne.checkpoint.written.v1");

    private final Ledger ledger;
    private final Outbox outbox;
    private final Journal host;
    private final List<Relay> relays = new ArrayList<>();
    private final ScheduledExecutorService hostWatch =
            Executors.newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().name("relay-host").factory());

    @Inject
    Relays(Ledger ledger, Outbox outbox, ServiceConfig places, EventsConfig events, List<WebhookConfig> hooks,
            @Value("${nocturne.kafka.brokers:}") String brokers, CamelContext camel, InstantSource clock,
            MeterRegistry metrics) {
        this(ledger, outbox, places.host());
        if (!brokers.isBlank()) {
            Target kafka = new KafkaTarget(camel.createProducerTemplate(), new Attachments(events.attachSamples()),
                    brokers);
            relays.add(new Relay(kafka, gate(), PATIENCE, KAFKA_THREADS, clock));
        }
        for (WebhookConfig hook : hooks) {
            Webhook target = new Webhook(URI.create(hook.url()), secret(hook, places.home()), hook.wanted(),
                    hook.timeout(), hook.giveUp(), clock);
            relays.add(new Relay(target, gate(), PATIENCE, WEBHOOK_THREADS, clock));
        }
        for (Relay relay : relays) measure(relay, metrics);
    }

    private Relays(Ledger ledger, Outbox outbox, String hostName) {
        this.ledger = ledger;
        this.outbox = outbox;
        this.host = new Journal(hostName, ledger.work().hostJournal(), true);
    }

    private static Secret secret(WebhookConfig hook, Path home) {
        if (hook.secretFile() != null) return Secret.inFile(home.resolve(hook.secretFile()), hook.key("secret-file"));
        return Secret.inEnvironment(String.valueOf(hook.secretEnv()), System.getenv(), hook.key("secret-env"));
    }

    private static void measure(Relay relay, MeterRegistry metrics) {
        String target = relay.target().name();
        Gauge.builder("nocturne.relay.lag.events", relay, Relay::lag).tag("target", target)
                .description("Events in the journals that have not been told yet").register(metrics);
        FunctionCounter.builder("nocturne.relay.failures", relay, Relay::failed).tag("target", target)
                .description("Tries to tell an event that were in vain").register(metrics);
        FunctionCounter.builder("nocturne.relay.left.out", relay, Relay::leftOut).tag("target", target)
                .description("Events that nobody took until they were too old").register(metrics);
    }

    @Override
    public int getOrder() {
        return PUBLISHING;
    }

    @Override
    public void start() {
        if (relays.isEmpty()) return;
        ledger.listenToJournals(id -> relays.forEach(relay -> relay.grown(journal(id))));
        hostWatch.execute(this::scan);
        var _ = hostWatch.scheduleWithFixedDelay(this::lookAtHost, 0, HOST_LOOK_MILLIS, TimeUnit.MILLISECONDS);
    }

    /// What was left over at the last stop, once. Whatever happens from now on is told by the ledger.
    private void scan() {
        for (Relay relay : relays) {
            boolean isNew = relay.target().isOnlyForTheFuture() && Files.notExists(host.cursor(relay.target().name()));
            for (Job job : ledger.jobs()) {
                Journal journal = journal(job.id());
                if (isNew && job.isTerminal()) skip(relay, journal);
                if (journal.hasMoreThan(relay.cursor(journal))) relay.grown(journal);
            }
            // Last, because it also says that this target is known from now on.
            if (isNew) skip(relay, host);
        }
    }

    private static void skip(Relay relay, Journal journal) {
        Cursor end = relay.cursor(journal);
        for (List<Journal.Line> lines = journal.after(end); !lines.isEmpty(); lines = journal.after(end)) {
            end = lines.getLast().end();
        }
        end.write(journal.cursor(relay.target().name()));
    }

    /// The host has more to say now and then; a look at one file's size is cheap.
    private void lookAtHost() {
        for (Relay relay : relays) {
            // Shorter than the cursor says means that it was begun anew, which is more, too.
            if (host.hasMoreThan(relay.cursor(host))) relay.grown(host);
        }
    }

    private Journal journal(JobId id) {
        return new Journal(id.text(), ledger.work().journal(id), false);
    }

    private Relay.Gate gate() {
        return new Relay.Gate() {
            @Override
            public void awaitFiles(Journal journal, Journal.Line line) {
                if (!ABOUT_FILES.contains(line.line().type())) return;
                job(journal).ifPresent(job -> outbox.syncUpTo(job.id(), line.line().sequence()));
            }

            @Override
            public long lastSafe(Journal journal) {
                return job(journal).map(job -> ledger.sequence(job.id())).orElse(Long.MAX_VALUE);
            }
        };
    }

    private Optional<Job> job(Journal journal) {
        return journal.isHost() ? Optional.empty() : ledger.job(new JobId(journal.subject()));
    }

    /// Events that each target has not been told yet, by the target's name.
    Map<String, Long> lag() {
        return relays.stream().collect(Collectors.toMap(relay -> relay.target().name(), Relay::lag));
    }

    @Override
    public void stop() {
        hostWatch.shutdownNow();
        if (relays.isEmpty()) return;
        lookAtHost();
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LAST_WORDS_MILLIS);
        try {
            while (relays.stream().anyMatch(relay -> !relay.isAway() && !relay.isIdle())
                    && System.nanoTime() < deadline) {
                Thread.sleep(20);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        relays.forEach(Relay::close);
        long left = relays.stream().mapToLong(Relay::lag).sum();
        if (left > 0) LOG.info("{} events are told at the next start", left);
    }
}
