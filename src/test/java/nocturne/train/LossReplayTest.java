package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.InstantSource;
import nocturne.event.Event;
import nocturne.event.EventLog;
import nocturne.report.LossHistory.HeldOut;
import nocturne.report.LossHistory.Training;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LossReplayTest {
    @TempDir
    Path folder;

    @Test
    void stepsThatWereRepeatedAfterAnInterruptionCountOnce() {
        try (EventLog log = open()) {
            for (int step = 1; step <= 4; step++) {
                log.append(new Event.Stepped(step, 9, step, 1e-3, 1, 1, 1, Event.LossByNoise.UNKNOWN));
            }
            log.append(new Event.HeldOutMeasured(2, 0.5));
            log.append(new Event.HeldOutMeasured(4, 0.4));
        }
        try (EventLog log = open()) {
            log.append(new Event.Resumed(2, "restart"));
            log.append(new Event.Stepped(3, 9, Double.NaN, 1e-3, 1, 1, 1, Event.LossByNoise.UNKNOWN));
            assertThat(LossReplay.of(log).training()).containsExactly(
                    new Training(1, 1, 1e-3), new Training(2, 2, 1e-3), new Training(3, Double.NaN, 1e-3));
            assertThat(LossReplay.of(log).heldOut()).containsExactly(new HeldOut(2, 0.5));
            log.append(new Event.Stepped(4, 9, 40, 1e-3, 1, 1, 1, Event.LossByNoise.UNKNOWN));
            assertThat(LossReplay.of(log).training().getLast()).isEqualTo(new Training(4, 40, 1e-3));
        }
    }

    private EventLog open() {
        return EventLog.open(folder.resolve("events.jsonl"), "maya-7f3a", "/hosts/studio", InstantSource.system());
    }
}
