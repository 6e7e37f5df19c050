package nocturne.service.kafka;

import io.micrometer.core.instrument.MeterRegistry;
import io.micronaut.context.annotation.Requires;
import io.micronaut.core.annotation.Nullable;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import nocturne.event.Event;
import nocturne.io.CrashPoint;
import nocturne.job.Job;
import nocturne.job.Ledger;
import nocturne.problem.Problem;
import nocturne.service.BundleSource;
import nocturne.service.HostJournal;
import nocturne.service.Intake;
import nocturne.service.Part;
import nocturne.service.RunningJobs;
import nocturne.service.ServiceConfig;
import nocturne.service.Slots;
import org.apache.camel.CamelContext;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Brings jobs from Kafka, and keeps what is said there of them true, from the first claim to the last word.
@Singleton
@Requires(condition = KafkaWanted.class)
public final class KafkaJobs implements Part {
    private static final Logger LOG = LoggerFactory.getLogger(KafkaJobs.class);
    static final String ROUTE = "kafka-jobs";
    /// After the doors, so that the recovered jobs have their devices before new ones are asked for.
    private static final int LAST = OPENING + 10;
    private static final Duration LOOK = Duration.ofSeconds(2);
    private static final Duration RARELY = Duration.ofSeconds(10);
    private static final Duration CATCHING_UP = Duration.ofSeconds(5);

    private final KafkaSettings settings;
    private final KafkaLink link;
    private final Ledger ledger;
    private final Slots slots;
    private final HostJournal journal;
    private final CamelContext camel;
    private final Announcements announcements;
    private final ClaimWriter writer;
    private final Requests requests;
    private final Imports imports;
    private final Beats beats;
    private final Reaper reaper;
    private final RouteDoor door;
    private final Claimant claimant;
    private final Duration reaping;
    private final ScheduledExecutorService clockwork =
            Executors.newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().name("kafka-claims").factory());
    private volatile boolean open;
    private boolean ready;

    @Inject
    KafkaJobs(KafkaSettings settings, KafkaLink link, ClaimBook book, Ledger ledger, Intake intake, BundleSource source,
            Slots slots, RunningJobs running, HostJournal journal, CamelContext camel, ServiceConfig config,
            InstantSource clock, @Nullable MeterRegistry metrics) {
        this(settings, link, book, ledger, intake, source, slots, running, journal, camel, config.host(), clock,
                CrashPoint::at);
        if (metrics != null && settings.isOn()) metrics.gauge("nocturne.kafka.lag", link, KafkaLink::lag);
    }

    /// @param passing told of the places between the steps
    KafkaJobs(KafkaSettings settings, KafkaLink link, ClaimBook book, Ledger ledger, Intake intake, BundleSource source,
            Slots slots, RunningJobs running, HostJournal journal, CamelContext camel, String host,
            InstantSource clock, Consumer<String> passing) {
        this.settings = settings;
        this.link = link;
        this.ledger = ledger;
        this.slots = slots;
        this.journal = journal;
        this.camel = camel;
        this.announcements = new Announcements(settings);
        this.requests = new Requests(settings);
        this.writer = new ClaimWriter(settings, host, passing);
        Pending pending = new Pending(ledger.work().pending());
        this.imports = new Imports(link, book, pending, ledger, intake, source, this::announce, passing);
        this.beats = new Beats(host, ledger, book, imports, this::announce, this::bury, running);
        Duration tenth = settings.config().lease().dividedBy(10);
        this.reaping = tenth.compareTo(RARELY) < 0 ? tenth : RARELY;
        this.reaper = new Reaper(settings, link, book, announcements, this::isAlive, System::nanoTime, reaping);
        this.claimant = new Claimant(settings.config(), host, link, book, writer, pending, imports, this::free,
                this::tellRepeated, clock, passing);
        this.door = new RouteDoor(camel, ROUTE, () -> open && link.isUp() && free() > 0);
        book.onOvertaken(next -> soon(beats::beat));
        // What came too late is now the last word on its key; after compaction it would be the only one.
        book.onTooLate(standing -> {
            if (standing.host().equals(host)) soon(() -> announce(standing));
        });
    }

    Claimant claimant() {
        return claimant;
    }

    @Override
    public int getOrder() {
        return LAST;
    }

    @Override
    public void start() {
        if (!settings.isOn()) return;
        slots.onChange(door::look);
        link.onChange(door::look);
        imports.onChange(door::look);
        ledger.listen(job -> {
            if (job.claim() != null && job.isTerminal()) soon(() -> beats.beat(job));
        });
        var _ = clockwork.scheduleWithFixedDelay(guarded(this::begin), 0, LOOK.toMillis(), TimeUnit.MILLISECONDS);
        every(settings.config().beat(), this::beat);
        every(reaping, reaper::reap);
    }

    /// The claims topic must have been read, and an earlier self's transaction be closed, before anything is decided.
    private void begin() {
        if (!ready && link.isUp() && link.catchUp(CATCHING_UP)) {
            try {
                writer.open();
            } catch (KafkaException away) {
                return;
            }
            imports.start();
            beats.beat();
            ready = true;
            open = true;
        }
        door.look();
    }

    private void beat() {
        if (ready && link.isUp()) beats.beat();
    }

    private int free() {
        return slots.free() - imports.outstanding();
    }

    private boolean isAlive(Claim claim) {
        Job job = beats.alive().get(claim.request());
        boolean isJob = job != null && job.claim() != null && job.claim().attempt() == claim.attempt();
        return isJob || imports.underWay().stream().anyMatch(claim::isSameTurn);
    }

    private void announce(Claim claim) {
        try {
            announcements.say(claim);
        } catch (KafkaException away) {
            LOG.debug("not said: {}", claim, away);
        }
    }

    private void tellRepeated(Claimant.Repeated repeated) {
        Claim claim = repeated.claim();
        String state = claim.state() + " on " + claim.host();
        Optional<Job> job = ledger.jobs().stream()
                .filter(known -> known.claim() != null && known.claim().request().equals(claim.request())).findFirst();
        try {
            if (job.isPresent()) {
                ledger.record(job.get().id(), new Event.Duplicate(repeated.origin(), job.get().state().word()));
            } else {
                journal.record(new Event.Duplicate(repeated.origin() + " " + claim.request(), state));
            }
        } catch (RuntimeException unwritable) {
            LOG.warn("request {} came again ({}), which cannot be written down: {}", claim.request(),
                    repeated.origin(), unwritable.getMessage());
        }
    }

    /// The request of a job that failed goes where somebody looks after it.
    ///
    /// @return whether it is there
    private boolean bury(Job job, Claim claim) {
        List<Problem> problems = job.problems().isEmpty()
                ? List.of(new Problem(job.code(), "", job.message())) : job.problems();
        try {
            byte[] value = requests.read(claim).map(record -> record.value()).orElse(null);
            Map<String, Object> headers = new TreeMap<>(
                    DeadLetters.headers(problems, claim.topic(), claim.partition(), claim.offset()));
            headers.put("job", job.id().text());
            headers.put("attempts", String.valueOf(job.attempt()));
            headers.put(KafkaConstants.KEY, claim.request());
            try (ProducerTemplate template = camel.createProducerTemplate()) {
                template.sendBodyAndHeaders("direct:dead-letters", value, headers);
            }
            return true;
        } catch (Exception away) {
            LOG.debug("job {}: its request could not be put among the dead letters yet", job.id(), away);
            return false;
        }
    }

    private void every(Duration time, Runnable task) {
        var _ = clockwork.scheduleWithFixedDelay(guarded(task), time.toMillis(), time.toMillis(),
                TimeUnit.MILLISECONDS);
    }

    private void soon(Runnable task) {
        try {
            clockwork.execute(guarded(task));
        } catch (RejectedExecutionException stopping) {
            // The next start sets it right.
        }
    }

    /// A task that fails once must not be the last one.
    private static Runnable guarded(Runnable task) {
        return () -> {
            try {
                task.run();
            } catch (RuntimeException e) {
                LOG.warn("keeping up with the claims: {}", e.toString());
            }
        };
    }

    @Override
    public void stop() {
        open = false;
        door.close();
        clockwork.shutdownNow();
        imports.stop();
        writer.close();
        announcements.close();
    }
}
