package nocturne.service.slot;

import static org.assertj.core.api.Assertions.assertThat;

import nocturne.event.Event;
import nocturne.event.EventLine;
import nocturne.ledger.Ledger;
import org.junit.jupiter.api.Test;

class PaceTest {
    private final Pace pace = new Pace();

    @Test
    @Ledger({"S1-28", "S1-77"})
    void aReportSaysWhatAStepIsMadeOfAndHowTheLossGoesByNoise() {
        step(1, new Event.LossByNoise(0.5, Double.NaN, 1));
        step(2, new Event.LossByNoise(0.25, Double.NaN, 2));
        assertThat(pace.summary(0)).isEqualTo(new Event.Progressed(2, 10, 0.5, 3, 24, 0, 4,
                new Event.LossByNoise(0.375, Double.NaN, 1.5)));
        step(3, new Event.LossByNoise(Double.NaN, 7, Double.NaN));
        assertThat(pace.summary(0).lossByNoise()).as("what did not come again is as it was")
                .isEqualTo(new Event.LossByNoise(0.375, 7, 1.5));
    }

    private void step(int step, Event.LossByNoise loss) {
        Event event = new Event.Stepped(step, 10, 0.5, 1e-4, 1, 3, 4, loss);
        pace.add(new EventLine("", "a/1/" + step, event.type(), "a", step, "2026-11-21T00:00:00Z", 0, event.data()));
    }
}
