package nocturne.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import nocturne.ledger.Ledger;
import nocturne.report.LossHistory.HeldOut;
import nocturne.report.LossHistory.Training;
import org.junit.jupiter.api.Test;

/// Curves of six measurements over 500 steps; the rate is 2e-4 unless another is given.
class NextRunTest {
    @Test
    @Ledger("S2-16")
    void aLossThatIsStillFallingWantsMore() {
        assertThat(hint(2e-4, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5)).hasValueSatisfying(
                hint -> assertThat(hint).contains("still falling", "2.5e-4 (5e-5 more)", "or more steps"));
    }

    @Test
    @Ledger("S2-16")
    void aLossThatRoseAgainWantsLess() {
        assertThat(hint(2e-4, 1.0, 0.6, 0.5, 0.6, 0.7, 0.8)).hasValueSatisfying(hint ->
                assertThat(hint).contains("lowest at step 200 of 500", "1.5e-4 (5e-5 less)", "end it sooner"));
    }

    @Test
    @Ledger("S2-16")
    void aLossThatSettledFits() {
        assertThat(hint(2e-4, 1.0, 0.7, 0.55, 0.51, 0.5, 0.502)).hasValueSatisfying(
                hint -> assertThat(hint).contains("settled", "2e-4"));
    }

    /// Neither into the rates that are warned of nor to nothing.
    @Test
    void ratesStayWhereTheyAreKnownToWork() {
        assertThat(hint(3.5e-4, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5)).hasValueSatisfying(
                hint -> assertThat(hint).contains("Try more steps").doesNotContain("4e-4"));
        assertThat(hint(7e-5, 1.0, 0.6, 0.5, 0.6, 0.7, 0.8)).hasValueSatisfying(
                hint -> assertThat(hint).contains("End it sooner").doesNotContain("2e-5"));
    }

    @Test
    void whatTheNumbersDoNotCarryIsNotSaid() {
        assertThat(hint(2e-4)).isEmpty();
        assertThat(hint(2e-4, 1.0, 0.5, 0.6, 0.7)).as("too few").isEmpty();
        assertThat(hint(2e-4, 1.0, 0.999, 0.99, 1.0, 0.995, 0.99)).as("a wobble").isEmpty();
        assertThat(hint(2e-4, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5)).as("never fell").isEmpty();
        assertThat(hint(2e-4, 1.0, 0.5, 0.48, 0.5, 0.49, 0.5)).as("early and flat").isEmpty();
    }

    private static Optional<String> hint(double rate, double... heldOut) {
        List<HeldOut> curve =
                IntStream.range(0, heldOut.length).mapToObj(i -> new HeldOut(100L * i, heldOut[i])).toList();
        return NextRun.hint(new LossHistory(List.of(new Training(1, 0.5, rate)), curve));
    }
}
