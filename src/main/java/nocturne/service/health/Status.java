package nocturne.service.health;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micronaut.context.BeanProvider;
import io.micronaut.runtime.server.EmbeddedServer;
import jakarta.inject.Singleton;
import java.time.InstantSource;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import nocturne.job.Job;
import nocturne.job.JobState;
import nocturne.job.Ledger;
import nocturne.service.Lifecycle;
import nocturne.service.ServiceConfig;
import nocturne.service.Slots;
import nocturne.service.log.LastTrouble;

/// The service as one JSON object, for people and for the commands beside it.
@Singleton
final class Status {
    private static final int SCHEMA = 1;
    /// Those that are under way or waiting; the others are counted.
    private static final int MOST_JOBS_SHOWN = 100;

    private final Ledger ledger;
    private final ServiceConfig config;
    private final Lifecycle lifecycle;
    private final Disk disk;
    private final BeanProvider<Slots> slots;
    private final EmbeddedServer server;
    private final MeterRegistry metrics;
    private final InstantSource clock;
    private final long started = System.nanoTime();

    Status(Ledger ledger, ServiceConfig config, Lifecycle lifecycle, Disk disk, BeanProvider<Slots> slots,
            EmbeddedServer server, MeterRegistry metrics, InstantSource clock) {
        this.ledger = ledger;
        this.config = config;
        this.lifecycle = lifecycle;
        this.disk = disk;
        this.slots = slots;
        this.server = server;
        this.metrics = metrics;
        this.clock = clock;
    }

    /// @param beat counts the writes of this process, so that a reader can tell a new one without a clock
    ObjectNode now(long beat) {
        ObjectNode status = JsonNodeFactory.instance.objectNode();
        status.put("schema", SCHEMA)
                .put("host", config.host())
                .put("pid", ProcessHandle.current().pid())
                .put("time", clock.instant().toString())
                .put("beat", beat)
                .put("uptimeSeconds", TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - started))
                .put("phase", lifecycle.phase());
        if (server.isRunning()) status.put("management", server.getURI().toString());
        if (slots.isPresent()) {
            ObjectNode devices = status.putObject("slots");
            slots.get().names().forEach(devices.putArray("names")::add);
            devices.put("free", slots.get().free());
        }
        List<Job> jobs = ledger.jobs();
        ObjectNode counts = status.putObject("jobs");
        count(jobs).forEach((state, number) -> counts.put(state.word(), number));
        var current = status.putArray("current");
        jobs.stream().filter(job -> !job.isTerminal()).limit(MOST_JOBS_SHOWN).forEach(job -> current.addObject()
                .put("job", job.id().text()).put("name", job.name()).put("state", job.state().word())
                .put("code", job.code()).put("device", job.device()).put("attempt", job.attempt())
                .put("step", job.step()).put("steps", job.steps()));
        ObjectNode free = status.putObject("diskFreeBytes");
        disk.folders().forEach(folder -> free.put(folder, disk.freeBytes(folder)));
        ObjectNode lag = status.putObject("lag");
        for (Gauge gauge : metrics.find("nocturne.relay.lag.events").gauges()) {
            lag.put(String.valueOf(gauge.getId().getTag("target")), (long) gauge.value());
        }
        LastTrouble.said().ifPresent(trouble -> status.putObject("lastTrouble")
                .put("time", trouble.time().toString()).put("message", trouble.message()));
        return status;
    }

    static Map<JobState, Integer> count(List<Job> jobs) {
        Map<JobState, Integer> counts = new EnumMap<>(JobState.class);
        for (JobState state : JobState.values()) counts.put(state, 0);
        for (Job job : jobs) counts.merge(job.state(), 1, Integer::sum);
        return counts;
    }
}
