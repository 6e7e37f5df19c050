package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import nocturne.ledger.Ledger;
import nocturne.problem.UserMistake;
import nocturne.qwen.Residency;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The numbers of the table are GiB, but for the 60 blocks of 227 MB that Qwen-Image has at 8 bits: 13.6 GB.
class ResidencyPlanTest {
    private static final long BLOCK_BYTES = 227_000_000;
    private static final int BLOCKS = 60;

    @ParameterizedTest(name = "{0} GiB, {1} of them for the rest, {2} slots")
    @CsvSource({"80, 20, 2", "24, 11, 2", "13, 0, 3"})
    void whereAllFitsAllStays(int budget, int fixed, int slots) {
        assertThat(plan(budget, fixed, slots)).isEqualTo(Residency.ALL);
    }

    @ParameterizedTest(name = "{0} GiB, {1} of them for the rest, {2} slots: {3}")
    @CsvSource({"24, 12, 2, 54", "24, 12, 3, 53", "16, 12, 2, 16", "12, 11, 2, 2", "12, 11, 3, 1", "12, 11, 4, 0"})
    void elseTheOthersGoThroughTheSlots(int budget, int fixed, int slots, int resident) {
        assertThat(plan(budget, fixed, slots)).isEqualTo(new Residency(resident, slots));
    }

    private static Residency plan(long budget, long fixed, int slots) {
        return ResidencyPlan.within(budget << 30, fixed << 30, BLOCK_BYTES, BLOCKS, slots);
    }

    /// Whatever the plan is, it fits, and with one block more it would not.
    @Test
    @Ledger({"S1-34", "S1-54"})
    void thePlanFitsAndIsTheLargestThatDoes() {
        for (long budget = 200; budget < 1200; budget += 7) {
            Residency plan = ResidencyPlan.within(budget, 150, 17, BLOCKS, 2);
            if (plan.equals(Residency.ALL)) {
                assertThat(150 + 17 * BLOCKS).isLessThanOrEqualTo((int) budget);
            } else {
                long used = 150 + 17L * (plan.residentBlocks() + plan.slots());
                assertThat(used).isBetween(budget - 16, budget);
            }
        }
    }

    @Test
    void aCardThatHoldsNotEvenTheSlotsIsRefusedWithTheNumbers() {
        for (int budget : new int[] {5, 12}) {
            assertThatThrownBy(() -> plan(budget, 12, 2)).isInstanceOf(UserMistake.class)
                    .hasMessageContaining("--vram")
                    .hasMessageContaining(budget + ".00 GiB are not enough: 12.00 GiB are needed beside")
                    .hasMessageContaining("60 blocks of 0.21 GiB").hasMessageContaining("together 12.42 GiB");
        }
    }
}
