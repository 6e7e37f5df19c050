package nocturne.service.slot;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Optional;
import nocturne.promise.Promise;
import org.junit.jupiter.api.Test;

/// Time is the test's own: a counter that it moves.
final class WatchdogTest {
    private static final HangLimits LIMITS = new HangLimits(Duration.ofMinutes(5), Duration.ofMinutes(30),
            Duration.ofMinutes(30), Duration.ofMinutes(10), Duration.ofMinutes(30), Duration.ofMinutes(30), 20,
            Duration.ofSeconds(10));
    private static final long PID = 4711;

    private long nanos = Long.MAX_VALUE - Duration.ofMinutes(1).toNanos();    // nanoTime may overflow any moment
    private long beats;
    private final Watchdog watchdog = new Watchdog(LIMITS, PID, () -> nanos);

    @Test
    void letsATrainerBeThatGetsSomethingDone() {
        for (int step = 0; step < 100; step++) assertThat(after(9, "training", step, 0.5)).isEmpty();
    }

    @Test
    void noticesWorkThatStandsStillWhileTheHeartBeats() {
        assertThat(after(1, "training", 7, 0.5)).isEmpty();
        assertThat(after(9, "training", 7, 0.5)).isEmpty();
        assertThat(after(2, "training", 7, 0.5).orElseThrow())
                .matches("got nothing done for 6[01]\\d s while training at step 7");
    }

    @Promise(row = 29, fault = "steps of two minutes", with = "a clock of the test's own")
    @Test
    void waitsLongerWhereStepsLastLonger() {
        assertThat(after(1, "training", 7, 120)).isEmpty();
        assertThat(after(39, "training", 7, 120)).as("20 times the usual step is 40 minutes").isEmpty();
        assertThat(after(2, "training", 7, 120)).isPresent();
    }

    @Test
    void hasALimitForEachPhase() {
        assertThat(after(1, "saving", 7, 0.5)).isEmpty();
        assertThat(after(29, "saving", 7, 0.5)).isEmpty();
        assertThat(after(1, "training", 7, 0.5)).as("something else begins: the time does too").isEmpty();
        assertThat(after(9, "training", 7, 0.5)).isEmpty();
    }

    @Test
    void noticesAHeartThatStandsStill() {
        Beat last = new Beat(PID, "training", 7, 1, 1);
        assertThat(minutes(1, last)).isEmpty();
        assertThat(minutes(4, last)).isEmpty();
        assertThat(minutes(2, last).orElseThrow()).containsPattern("no sign of life for 3[01]\\d s");
    }

    @Test
    void doesNotBelieveTheHeartbeatOfAnotherProcess() {
        Optional<String> verdict = Optional.empty();
        for (int minute = 0; minute < 31; minute++) {
            verdict = minutes(1, new Beat(PID + 1, "training", minute, minute, minute));
        }
        assertThat(verdict.orElseThrow()).contains("while loading");
    }

    @Promise(row = 39, fault = "the whole machine sleeps for a day", with = "a clock of the test's own")
    @Test
    void doesNotBlameTheTrainerWhereEverybodySlept() {
        assertThat(after(1, "training", 7, 0.5)).isEmpty();
        nanos += Duration.ofDays(1).toNanos();
        assertThat(watchdog.look(Optional.of(new Beat(PID, "training", 7, 7, beats)), 0.5)).isEmpty();
        assertThat(after(9, "training", 7, 0.5)).isEmpty();
        assertThat(after(2, "training", 7, 0.5)).isPresent();
    }

    /// Lets minutes pass, looking every ten seconds as the service does more often still; the heart beats.
    private Optional<String> after(int minutes, String phase, long step, double secondsPerStep) {
        Optional<String> verdict = Optional.empty();
        for (int look = 0; look < 6 * minutes && verdict.isEmpty(); look++) {
            nanos += Duration.ofSeconds(10).toNanos();
            verdict = watchdog.look(Optional.of(new Beat(PID, phase, step, step, ++beats)), secondsPerStep);
        }
        return verdict;
    }

    /// The same with a heart that does not.
    private Optional<String> minutes(int minutes, Beat beat) {
        Optional<String> verdict = Optional.empty();
        for (int look = 0; look < 6 * minutes && verdict.isEmpty(); look++) {
            nanos += Duration.ofSeconds(10).toNanos();
            verdict = watchdog.look(Optional.of(beat), 0.5);
        }
        return verdict;
    }
}
