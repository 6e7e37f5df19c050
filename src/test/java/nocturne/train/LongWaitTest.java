package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import nocturne.ledger.Ledger;
import org.junit.jupiter.api.Test;

class LongWaitTest {
    @Test
    @Ledger("S1-77")
    void aRunThatWillNotEndInTimeIsToldWhatAccumulationCosts() {
        assertThat(LongWait.notice(20, 3400, 4, 16, Duration.ofHours(8))).hasValueSatisfying(
                notice -> assertThat(notice).contains("3380 of 3400 steps are left",
                        "each of 4 micro-steps of 4.0 s: about 15.0 hours", "only 8.0 are allowed",
                        "Halving gradient_accumulation"));
        assertThat(LongWait.notice(20, 3400, 4, 16, null)).hasValueSatisfying(
                notice -> assertThat(notice).contains("more than a night"));
    }

    @Test
    void othersHearNothing() {
        assertThat(LongWait.notice(20, 3400, 4, 16, Duration.ofHours(16))).as("in time").isEmpty();
        assertThat(LongWait.notice(20, 3400, 4, 8, null)).as("within a night").isEmpty();
        assertThat(LongWait.notice(20, 3400, 1, 16, null)).as("without accumulation").isEmpty();
    }
}
