package nocturne.service.health;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micronaut.context.BeanProvider;
import jakarta.inject.Singleton;
import nocturne.job.Job;
import nocturne.job.JobState;
import nocturne.job.Ledger;
import nocturne.service.Lifecycle;
import nocturne.service.Part;
import nocturne.service.Slots;

/// Numbers for graphs and alarms that can be read off the ledger, the slots and the disk; `docs/metrics.md` lists them
/// with those that other parts add.
@Singleton
final class Metrics implements Part {
    private final MeterRegistry registry;
    private final Ledger ledger;
    private final Disk disk;
    private final Lifecycle lifecycle;
    private final BeanProvider<Slots> slots;

    Metrics(MeterRegistry registry, Ledger ledger, Disk disk, Lifecycle lifecycle, BeanProvider<Slots> slots) {
        this.registry = registry;
        this.ledger = ledger;
        this.disk = disk;
        this.lifecycle = lifecycle;
        this.slots = slots;
    }

    @Override
    public int getOrder() {
        return SHOWING;
    }

    @Override
    public void start() {
        for (JobState state : JobState.values()) {
            Gauge.builder("nocturne.jobs", ledger, ledger -> Status.count(ledger.jobs()).getOrDefault(state, 0))
                    .description("Jobs known to this service, by state").tag("state", state.word()).register(registry);
        }
        for (String folder : disk.folders()) {
            Gauge.builder("nocturne.disk.free.bytes", disk, disk -> known(disk.freeBytes(folder)))
                    .description("Room left where the service writes").tag("folder", folder).register(registry);
        }
        Gauge.builder("nocturne.ready", lifecycle, lifecycle -> lifecycle.isReady() ? 1 : 0)
                .description("1 while the service takes jobs").register(registry);
        if (slots.isPresent()) {
            Slots devices = slots.get();
            Gauge.builder("nocturne.slots", devices, each -> each.names().size())
                    .description("Devices that can run a job each").register(registry);
            Gauge.builder("nocturne.slots.free", devices, Slots::free)
                    .description("Jobs that could start at once").register(registry);
        }
        ledger.listen(this::count);
    }

    @Override
    public void stop() {
        // They go with the process.
    }

    private static double known(long bytes) {
        return bytes == Disk.UNKNOWN ? Double.NaN : bytes;
    }

    private void count(Job job) {
        registry.counter("nocturne.transitions", "state", job.state().word()).increment();
        boolean failed = switch (job.state()) {
            case FAILED, REFUSED, PARKED -> true;
            case QUEUED, RUNNING, PUBLISHING, COMPLETED, CANCELLED, SUPERSEDED -> false;
        };
        if (failed) registry.counter("nocturne.failures", "state", job.state().word(), "code", job.code()).increment();
    }
}
