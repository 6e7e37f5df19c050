package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import nocturne.adapter.LoraLayout;
import nocturne.adapter.LoraTargets;
import nocturne.io.DType;
import nocturne.ledger.Ledger;
import nocturne.problem.UserMistake;
import nocturne.quant.LayerFormats;
import nocturne.quant.WeightType;
import nocturne.qwen.Grid;
import nocturne.qwen.QwenImageTransformer;
import nocturne.qwen.Residency;
import nocturne.qwen.TransformerConfig;
import nocturne.tensor.Rehearsal;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.Test;

/// What a model takes, and what of it stays on a device by the memory there is.
class DevicePlanTest {
    private static final TransformerConfig CONFIG =
            new TransformerConfig(6, 4, 32, 64, 64, List.of(8, 12, 12), false);
    private static final LoraLayout LAYOUT = LoraLayout.of(LoraTargets.of(6, CONFIG.width()), 4);
    private static final TransformerConfig RELEASED =
            new TransformerConfig(60, 24, 128, 3584, 64, List.of(16, 56, 56), false);
    private static final LayerFormats EIGHT_BITS =
            new LayerFormats(WeightType.INT8, LoraTargets.of(60, RELEASED.width()).keySet());
    private static final long RESERVE = 1000;

    private static MicroBatch batch(TransformerConfig config, Grid grid, int textRows) {
        float[] latents = new float[grid.tokens() * config.tokenWidth()];
        return new MicroBatch(latents, latents, new float[0], new float[textRows * config.textWidth()],
                new int[] {textRows}, new float[] {0.5f}, new float[] {1}, List.of(grid));
    }

    /// Nothing of this model's needs room for alignment.
    @Test
    void theBytesAreThoseThatAreTaken() {
        for (DType type : List.of(DType.F32, DType.BF16)) {
            ModelBytes bytes = ModelBytes.of(CONFIG, LayerFormats.NONE, type);
            try (Rehearsal rehearsal = new Rehearsal(type); TensorArena weights = rehearsal.newArena()) {
                QwenImageTransformer.empty(CONFIG, weights);
                assertThat(bytes.rest() + 6 * (bytes.block() + bytes.modulation())).isEqualTo(weights.peakBytes());
            }
        }
    }

    /// 13.6 billion numbers in the blocks, 6.8 billion in their modulation.
    @Test
    void theReleasedModelInEightBits() {
        ModelBytes bytes = ModelBytes.of(RELEASED, EIGHT_BITS, DType.BF16);
        assertThat(60 * bytes.block() / 1e9).isBetween(13.6, 13.7);
        assertThat(60 * bytes.modulation() / 1e9).isBetween(6.79, 6.85);
        assertThat(bytes.rest() / 1e9).isBetween(0.05, 0.1);
    }

    private static DevicePlan plan(long budget) {
        return DevicePlan.within(budget, RESERVE, CONFIG, LayerFormats.NONE, LAYOUT, DType.BF16,
                batch(CONFIG, new Grid(4, 4), 20));
    }

    private static boolean isRefused(long budget) {
        try {
            plan(budget);
            return false;
        } catch (UserMistake refused) {
            return true;
        }
    }

    private static long used(DevicePlan plan) {
        ModelBytes bytes = ModelBytes.of(CONFIG, LayerFormats.NONE, DType.BF16);
        int resident = plan.residency().residentBlocks();
        long slot = resident == 6 ? bytes.modulation() : Math.max(bytes.block(), bytes.modulation());
        return RESERVE + bytes.rest() + 20 * LAYOUT.parameters() + resident * bytes.block()
                + plan.residency().slots() * slot + plan.activations().bytes();
    }

    /// More memory never means fewer blocks, and only when all of them stay do they keep more than they must.
    @Test
    void everyPlanFitsAndBlocksStayBeforeTheyKeep() {
        int before = 0;
        boolean partly = false;
        long least = 1_000_000;
        while (isRefused(least)) least += 50_000;
        for (long budget = least; budget < least + 8_000_000; budget += 50_000) {
            DevicePlan plan = plan(budget);
            assertThat(used(plan)).as("%,d bytes", budget).isLessThanOrEqualTo(budget);
            assertThat(plan.residency().tabulates()).isTrue();
            assertThat(plan.residency().residentBlocks()).isBetween(before, 6);
            before = plan.residency().residentBlocks();
            partly |= before > 0 && before < 6;
        }
        assertThat(partly).isTrue();
        assertThat(before).isEqualTo(6);
        assertThat(plan(1 << 30)).isEqualTo(new DevicePlan(new Residency(6, 2, true),
                new ActivationPlan(6, 0, 0, plan(1 << 30).activations().bytes())));
    }

    @Test
    void whereNotEvenTheSlotsFitItIsSaid() {
        assertThatThrownBy(() -> plan(1_000_000)).isInstanceOf(UserMistake.class)
                .hasMessageContaining("GiB are not enough");
    }

    /// The released model in 8 bits, 1024 x 1024 pixels, on cards of 24 and of 80 GiB, 1 GiB of which is nobody's.
    @Test
    @Ledger({"S1-56", "S2-30", "X-17"})
    void cardsThatPeopleHave() {
        LoraLayout layout = LoraLayout.of(LoraTargets.of(60, RELEASED.width()), 16);
        MicroBatch batch = batch(RELEASED, new Grid(64, 64), 200);
        DevicePlan small = DevicePlan.within(23L << 30, 1L << 30, RELEASED, EIGHT_BITS, layout, DType.BF16, batch);
        assertThat(small.residency().residentBlocks()).isGreaterThan(40);
        DevicePlan large = DevicePlan.within(79L << 30, 1L << 30, RELEASED, EIGHT_BITS, layout, DType.BF16, batch);
        assertThat(large.residency().residentBlocks()).isEqualTo(60);
        assertThat(large.activations().inputs() + large.activations().products()).isZero();
    }
}
