package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import nocturne.adapter.Lora;
import nocturne.adapter.LoraLayout;
import nocturne.adapter.LoraTargets;
import nocturne.cpu.CpuBackend;
import nocturne.io.DType;
import nocturne.problem.UserMistake;
import nocturne.qwen.Grid;
import nocturne.qwen.QwenImageTransformer;
import nocturne.qwen.TransformerConfig;
import nocturne.tensor.Backend;
import nocturne.tensor.Tape.Keep;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What a step takes is known before it is made, and what blocks keep is chosen to fit.
class ActivationPlanTest {
    private static final int LAYERS = 6;
    private static final TransformerConfig CONFIG =
            new TransformerConfig(LAYERS, 4, 32, 64, 64, List.of(8, 12, 12), false);
    private static final LoraLayout LAYOUT = LoraLayout.of(LoraTargets.of(LAYERS, CONFIG.width()), 4);

    /// Two samples with a control picture each, their texts of different length.
    private static MicroBatch batch() {
        List<Grid> grids = List.of(new Grid(6, 4), new Grid(4, 4));
        int width = CONFIG.tokenWidth();
        float[] latents = new float[2 * 24 * width];
        return new MicroBatch(latents, latents.clone(), new float[2 * 16 * width], new float[2 * 9 * 64],
                new int[] {9, 5}, new float[] {0.5f, 0.25f}, new float[] {1, 1}, grids);
    }

    private static long planned(IntFunction<Keep> keep) {
        return ActivationPlan.bytes(keep, CONFIG, LAYOUT, DType.F32, batch());
    }

    @ParameterizedTest
    @EnumSource(Keep.class)
    void aRehearsalTakesWhatTheRealStepTakes(Keep keep) {
        try (Backend backend = new CpuBackend(1); TensorArena weights = backend.newArena();
                TensorArena passes = backend.newArena()) {
            Lora lora = new Lora(LAYOUT, 4, backend, weights);
            new Learner(QwenImageTransformer.random(CONFIG, 1, backend, weights), lora, block -> keep, backend, passes)
                    .accumulate(batch(), 1);
            assertThat(planned(block -> keep)).isEqualTo(passes.peakBytes());
        }
    }

    @Test
    void whoKeepsLessTakesLess() {
        long all = planned(block -> Keep.ALL);
        long products = planned(block -> Keep.PRODUCTS);
        long inputs = planned(block -> Keep.INPUTS);
        assertThat(products).isBetween(inputs + 1, 4 * all / 5);
    }

    /// At every budget between the extremes the plan fits, and one more block that keeps more would not.
    @Test
    void theBudgetIsUsedAndKept() {
        long least = planned(block -> Keep.INPUTS);
        long most = planned(block -> Keep.ALL);
        for (long budget = least; budget <= most; budget += (most - least) / 16) {
            ActivationPlan plan = ActivationPlan.within(budget, CONFIG, LAYOUT, DType.F32, batch());
            assertThat(plan.bytes()).isLessThanOrEqualTo(budget).isEqualTo(planned(plan));
            if (plan.inputs() > 0) {
                assertThat(plan.inputs() + plan.products()).isEqualTo(LAYERS);
                assertThat(planned(new ActivationPlan(LAYERS, plan.inputs() - 1, plan.products() + 1, 0)))
                        .isGreaterThan(budget);
            } else if (plan.products() > 0) {
                assertThat(planned(new ActivationPlan(LAYERS, 0, plan.products() - 1, 0))).isGreaterThan(budget);
            }
        }
        Keep[] unlimited = new Keep[LAYERS];
        Arrays.setAll(unlimited, ActivationPlan.within(most, CONFIG, LAYOUT, DType.F32, batch()));
        assertThat(unlimited).containsOnly(Keep.ALL);
    }

    @Test
    void bf16TakesAboutHalf() {
        long narrow = ActivationPlan.bytes(block -> Keep.ALL, CONFIG, LAYOUT, DType.BF16, batch());
        assertThat((double) narrow / planned(block -> Keep.ALL)).isBetween(0.45, 0.6);
    }

    @Test
    void whatFitsInNoWayIsRefusedWithTheNumbers() {
        long least = planned(block -> Keep.INPUTS);
        assertThatThrownBy(() -> ActivationPlan.within(least - 1, CONFIG, LAYOUT, DType.F32, batch()))
                .isInstanceOfSatisfying(UserMistake.class, mistake -> assertThat(mistake.problems()).singleElement()
                        .satisfies(problem -> assertThat(problem.code()).isEqualTo("DEVICE_TOO_SMALL"))
                        .asString().contains("Choose a smaller resolution"));
    }

    /// The released model at a megapixel with 200 words, as a card would have it.
    @Test
    void theReleasedModelsNeedsAreAsReckonedByHand() {
        TransformerConfig released =
                new TransformerConfig(60, 24, 128, 3584, 64, List.of(16, 56, 56), false);
        LoraLayout layout = LoraLayout.of(LoraTargets.of(60, 3072), 16);
        int width = released.tokenWidth();
        MicroBatch batch = new MicroBatch(new float[4096 * width], new float[4096 * width], new float[0],
                new float[200 * 3584], new int[] {200}, new float[] {0.5f}, new float[] {1},
                List.of(new Grid(64, 64)));
        double unit = 4296 * 3072 * 2.0;
        double inputs = ActivationPlan.bytes(block -> Keep.INPUTS, released, layout, DType.BF16, batch) / unit;
        double products = ActivationPlan.bytes(block -> Keep.PRODUCTS, released, layout, DType.BF16, batch) / unit;
        double all = ActivationPlan.bytes(block -> Keep.ALL, released, layout, DType.BF16, batch) / unit;
        assertThat(inputs / 60).isBetween(1.0, 2.0);
        assertThat(products / 60).isBetween(12.0, 17.0);
        assertThat(all / 60).isBetween(20.0, 26.0);
    }
}
