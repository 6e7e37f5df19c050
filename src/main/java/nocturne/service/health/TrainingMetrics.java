package nocturne.service.health;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micronaut.context.BeanProvider;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ToDoubleFunction;
import nocturne.event.EventLine;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.job.Ledger;
import nocturne.service.Part;
import nocturne.service.SlotReport;

/// How each device's training goes, as the last `job.progressed` told: pace, loss, how far. By device and not by job,
/// so that a year of jobs is not a year of time series.
@Singleton
final class TrainingMetrics implements Part {
    private static final String PROGRESSED = "nocturne.job.progressed.v1";
    /// Holds the last few events; the one in question is the last or nearly so when this is called.
    private static final int TAIL = 1 << 13;

    private final MeterRegistry registry;
    private final Ledger ledger;
    private final BeanProvider<SlotReport> slots;
    private final Map<JobId, EventLine> latest = new ConcurrentHashMap<>();

    TrainingMetrics(MeterRegistry registry, Ledger ledger, BeanProvider<SlotReport> slots) {
        this.registry = registry;
        this.ledger = ledger;
        this.slots = slots;
    }

    @Override
    public int getOrder() {
        return SHOWING;
    }

    @Override
    public void start() {
        if (!slots.isPresent()) return;
        SlotReport report = slots.get();
        for (SlotReport.Slot slot : report.slots()) {
            for (SlotReport.Condition condition : SlotReport.Condition.values()) {
                Gauge.builder("nocturne.slot.condition", report, each -> has(each, slot.device(), condition) ? 1 : 0)
                        .description("1 for the condition that a device is in").tag("device", slot.device())
                        .tag("condition", condition.word()).register(registry);
            }
            gauge("nocturne.slot.vram.bytes", "Memory in use on the device", slot.device(), SlotReport.Slot::vramBytes);
            training("nocturne.training.loss", "Mean loss since the report before", slot.device(), "loss");
            training("nocturne.training.loss.high.noise", "The same of very noisy pictures: composition",
                    slot.device(), "lossByNoise/high");
            training("nocturne.training.loss.middle.noise", "The same of middling ones: features", slot.device(),
                    "lossByNoise/middle");
            training("nocturne.training.loss.low.noise", "The same of nearly clean ones: texture", slot.device(),
                    "lossByNoise/low");
            training("nocturne.training.micro.steps", "Batches that each update is made of", slot.device(),
                    "microSteps");
            training("nocturne.training.seconds.per.step", "Median since the report before", slot.device(),
                    "secondsPerStep");
            training("nocturne.training.step", "Updates made", slot.device(), "step");
            training("nocturne.training.steps", "Updates planned", slot.device(), "steps");
            training("nocturne.training.eta.seconds", "Until the last step, when it was last reported", slot.device(),
                    "etaSeconds");
        }
        ledger.listenToJournals(this::read);
        ledger.listen(this::forget);
    }

    @Override
    public void stop() {
        // They go with the process.
    }

    private void training(String name, String what, String device, String field) {
        gauge(name, what, device, slot -> {
            EventLine event = slot.job() == null ? null : latest.get(slot.job());
            return event == null ? Double.NaN : event.data().at("/" + field).asDouble(Double.NaN);
        });
    }

    private void gauge(String name, String what, String device, ToDoubleFunction<SlotReport.Slot> value) {
        Gauge.builder(name, slots.get(), report -> report.slots().stream().filter(slot -> slot.device().equals(device))
                .mapToDouble(value).findFirst().orElse(Double.NaN))
                .description(what).tag("device", device).register(registry);
    }

    private static boolean has(SlotReport report, String device, SlotReport.Condition condition) {
        return report.slots().stream()
                .anyMatch(slot -> slot.device().equals(device) && slot.condition() == condition);
    }

    private void read(JobId id) {
        if (ledger.job(id).filter(job -> job.state() == JobState.RUNNING).isEmpty()) return;
        Path journal = ledger.work().journal(id);
        try (FileChannel channel = FileChannel.open(journal, StandardOpenOption.READ)) {
            long from = Math.max(0, channel.size() - TAIL);
            ByteBuffer bytes = ByteBuffer.allocate(TAIL);
            while (bytes.hasRemaining()) if (channel.read(bytes, from + bytes.position()) < 0) break;
            new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8).lines()
                    .filter(line -> line.contains(PROGRESSED)).flatMap(line -> EventLine.parse(line).stream())
                    .filter(event -> event.type().equals(PROGRESSED)).forEach(event -> latest.put(id, event));
        } catch (IOException unreadable) {
            // The number that was there before stays; the ledger says elsewhere that its disk is sick.
        }
    }

    private void forget(Job job) {
        if (job.state() != JobState.RUNNING) latest.remove(job.id());
    }
}
