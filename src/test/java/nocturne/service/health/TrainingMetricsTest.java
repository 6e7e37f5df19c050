package nocturne.service.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import nocturne.event.Event;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.job.Ledger;
import nocturne.job.WorkFolder;
import nocturne.service.SlotReport;
import nocturne.service.SlotReport.Condition;
import nocturne.service.SlotReport.Slot;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The numbers of a training are those of its last report, as long as it runs on the device.
final class TrainingMetricsTest {
    private static final String HASH = "0123456789abcdef".repeat(4);
    private static final JobId MAYA = JobId.of("maya", HASH);

    @TempDir
    private Path folder;

    private Ledger ledger;
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final AtomicReference<Slot> slot = new AtomicReference<>(slot(Condition.FREE, null));

    @BeforeEach
    void start() throws IOException {
        ledger = Ledger.open(new WorkFolder(folder), "here", InstantSource.system());
        SlotReport report = () -> List.of(slot.get());
        new TrainingMetrics(registry, ledger, () -> report).start();
        Path prepared = Files.createDirectories(ledger.work().incoming().resolve("maya"));
        ledger.add(prepared, Job.queued(MAYA, "maya", "test", HASH, "bundle", null, 0, "2026-11-21T12:00:00Z", 600, 20,
                null), new Event.Queued("maya", "test", HASH, 600, 20));
        ledger.advance(MAYA, job -> job.startedAs(new Job.Child(1, 1, "boot"), "cuda:0"),
                new Event.Started("maya", 600, 20, "cuda:0"));
    }

    @AfterEach
    void stop() {
        ledger.close();
    }

    @Test
    void aRunningJobShowsItsLastReport() {
        slot.set(slot(Condition.BUSY, MAYA));
        ledger.record(MAYA, new Event.Progressed(100, 600, 0.5, 0.25, 125, 0, 1, Event.LossByNoise.UNKNOWN));
        ledger.record(MAYA, new Event.Progressed(120, 600, 0.4, 0.2, 96, 0, 4,
                new Event.LossByNoise(0.7, 0.5, 0.1)));
        ledger.record(MAYA, new Event.NoticeGiven("X", "y"));
        assertThat(value("nocturne.training.loss")).isEqualTo(0.4);
        assertThat(value("nocturne.training.loss.high.noise")).isEqualTo(0.7);
        assertThat(value("nocturne.training.loss.middle.noise")).isEqualTo(0.5);
        assertThat(value("nocturne.training.loss.low.noise")).isEqualTo(0.1);
        assertThat(value("nocturne.training.micro.steps")).isEqualTo(4);
        assertThat(value("nocturne.training.seconds.per.step")).isEqualTo(0.2);
        assertThat(value("nocturne.training.step")).isEqualTo(120);
        assertThat(value("nocturne.training.steps")).isEqualTo(600);
        assertThat(value("nocturne.training.eta.seconds")).isEqualTo(96);
        assertThat(value("nocturne.slot.vram.bytes")).isEqualTo(7e9);
    }

    @Test
    void aDeviceThatTrainsNothingShowsNothing() {
        ledger.record(MAYA, new Event.Progressed(100, 600, 0.5, 0.25, 125, 0, 1, Event.LossByNoise.UNKNOWN));
        assertThat(value("nocturne.training.loss")).isNaN();
    }

    @Test
    void whatAJobReportedEarlierDoesNotOutliveItsAttempt() {
        slot.set(slot(Condition.BUSY, MAYA));
        ledger.record(MAYA, new Event.Progressed(100, 600, 0.5, 0.25, 125, 0, 1, Event.LossByNoise.UNKNOWN));
        ledger.advance(MAYA, job -> job.in(JobState.QUEUED, "CRASHED", "again"),
                new Event.Interrupted(100, "CRASHED", "again"));
        assertThat(value("nocturne.training.loss")).isNaN();
    }

    @Test
    void oneConditionIsTrueAtATime() {
        slot.set(slot(Condition.QUARANTINED, null));
        for (Condition condition : Condition.values()) {
            assertThat(registry.get("nocturne.slot.condition").tag("condition", condition.word()).gauge().value())
                    .isEqualTo(condition == Condition.QUARANTINED ? 1 : 0);
        }
    }

    private double value(String name) {
        return registry.get(name).tag("device", "cuda:0").gauge().value();
    }

    private static Slot slot(Condition condition, @Nullable JobId job) {
        return new Slot("cuda:0", condition, job, "", "", 7_000_000_000L);
    }
}
