package nocturne.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import nocturne.tensor.Tape.Keep;
import org.junit.jupiter.api.Test;

/// What blocks keep is chosen to fit.
class ActivationPlanTest {
    private static final int LAYERS = 6;

    private static long bytes(ActivationPlan plan) {
        return 50 + 10L * plan.inputs() + 100L * plan.products() + 170L * plan.all();
    }

    @Test
    void theFirstBlocksKeepLeast() {
        assertThat(IntStream.range(0, LAYERS).mapToObj(new ActivationPlan(LAYERS, 1, 2)))
                .containsExactly(Keep.INPUTS, Keep.PRODUCTS, Keep.PRODUCTS, Keep.ALL, Keep.ALL, Keep.ALL);
        for (Keep keep : Keep.values()) {
            ActivationPlan alike = ActivationPlan.of(LAYERS, keep);
            assertThat(IntStream.range(0, LAYERS).mapToObj(alike)).containsOnly(keep);
        }
    }

    /// At every budget between the extremes the plan fits, and one more block that keeps more would not.
    @Test
    void theBudgetIsUsedAndKept() {
        long least = bytes(ActivationPlan.of(LAYERS, Keep.INPUTS));
        long most = bytes(ActivationPlan.of(LAYERS, Keep.ALL));
        for (long budget = least; budget <= most; budget += 7) {
            ActivationPlan plan = ActivationPlan.within(budget, LAYERS, ActivationPlanTest::bytes);
            assertThat(bytes(plan)).isLessThanOrEqualTo(budget);
            if (plan.inputs() > 0) {
                assertThat(plan.inputs() + plan.products()).isEqualTo(LAYERS);
                assertThat(bytes(new ActivationPlan(LAYERS, plan.inputs() - 1, plan.products() + 1)))
                        .isGreaterThan(budget);
            } else if (plan.products() > 0) {
                assertThat(bytes(new ActivationPlan(LAYERS, 0, plan.products() - 1)))
                        .isGreaterThan(budget);
            }
        }
        assertThat(ActivationPlan.within(most,
                LAYERS, ActivationPlanTest::bytes)).isEqualTo(ActivationPlan.of(LAYERS, Keep.ALL));
    }
}
