package nocturne.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import nocturne.adapter.LoraLayout;
import nocturne.adapter.LoraTargets;
import nocturne.cuda.CudaBackend;
import nocturne.cuda.CudaSettings;
import nocturne.cuda.ProductMode;
import nocturne.io.DType;
import nocturne.memory.MemoryPlan.Arenas;
import nocturne.problem.UserMistake;
import nocturne.quant.LayerFormats;
import nocturne.quant.WeightType;
import nocturne.qwen.Grid;
import nocturne.qwen.Residency;
import nocturne.qwen.TransformerConfig;
import nocturne.tensor.Backend;
import nocturne.tensor.Tape.Keep;
import org.junit.jupiter.api.Test;

/// What a model takes, and what of it stays on a device by the memory there is. Nothing here has a device.
class MemoryPlanTest {
    /// Blocks of 6 MB in bf16, above the least that an arena takes.
    private static final TransformerConfig SMALL =
            new TransformerConfig(6, 8, 64, 64, 64, List.of(16, 24, 24), false);
    private static final TransformerConfig RELEASED =
            new TransformerConfig(60, 24, 128, 3584, 64, List.of(16, 56, 56), false);
    private static final LayerFormats EIGHT_BITS =
            new LayerFormats(WeightType.INT8, LoraTargets.of(60, RELEASED.width()).keySet());
    private static final long GIB = 1L << 30;

    private static Backend card() {
        return CudaBackend.rehearsal(CudaSettings.of(DType.BF16), true);
    }

    private static Workload small() {
        LoraLayout layout = LoraLayout.of(LoraTargets.of(6, SMALL.width()), 4);
        return new Workload(SMALL, LayerFormats.NONE, null, new Workload.Trained(layout, false, true),
                new PassShape(2, List.of(new Grid(6, 4), new Grid(4, 4)), 9, true), PassShape.of(new Grid(4, 4), 5),
                null);
    }

    private static Workload released() {
        LoraLayout layout = LoraLayout.of(LoraTargets.of(60, RELEASED.width()), 16);
        return new Workload(RELEASED, EIGHT_BITS, null, new Workload.Trained(layout, true, false),
                PassShape.of(new Grid(64, 64), 200), null, null);
    }

    /// 13.6 billion numbers in the blocks, 6.8 billion in their modulation, 0.07 billion outside; 147 million trained.
    @Test
    void theReleasedModelInEightBitsIsAsReckonedByHand() {
        MemoryPlan plan = MemoryPlan.of(released(), new Residency(60, 2, true), ActivationPlan.of(60, Keep.INPUTS),
                Arenas.RESERVED, MemoryPlanTest::card);
        Standing standing = plan.standing();
        assertThat(standing.coded() / 1e9).isBetween(13.6, 13.7);
        assertThat(standing.plain() / 1e9).isBetween(0.08, 0.1);
        assertThat(plan.host().pinned() / 1e9).isBetween(6.79, 6.85);
        assertThat(plan.host().tables() / 1e9).isBetween(1.1, 1.2);
        // Two slots for the modulation layers of one block.
        assertThat(standing.ring() / 1e6).isBetween(226.0, 228.0);
        long parameters = released().trained().layout().parameters();
        assertThat(standing.adapter()).isEqualTo(4 * parameters).isEqualTo(standing.gradients());
        assertThat((double) standing.optimizer() / parameters).isBetween(2.03, 2.04);
        // In units of all tokens of one block in bf16: see docs/decisions/0015.
        double unit = 4296 * 3072 * 2.0;
        assertThat(plan.need(Phase.TRAINING).work() / unit / 60).isBetween(1.0, 2.0);
        // A weight of [12288, 3072] is decoded to bf16; what is summed takes less than as much again.
        assertThat(plan.scratchBytes() / 1e6).isBetween(75.0, 400.0);
    }

    @Test
    void everyPlanFitsAndBlocksStayBeforeTheyKeep() {
        int before = 0;
        boolean partly = false;
        long least = MemoryPlan.smallest(Long.MAX_VALUE, small(), MemoryPlanTest::card).peakBytes();
        MemoryPlan most = MemoryPlan.within(Long.MAX_VALUE, small(), MemoryPlanTest::card);
        assertThat(most.activations()).isEqualTo(ActivationPlan.of(6, Keep.ALL));
        for (long budget = least; budget <= most.peakBytes() + 100_000; budget += 2_000_000) {
            MemoryPlan plan = MemoryPlan.within(budget, small(), MemoryPlanTest::card);
            assertThat(plan.peakBytes()).as("%,d bytes: %s", budget, plan).isLessThanOrEqualTo(budget);
            assertThat(plan.residency().tabulates()).isTrue();
            assertThat(plan.residency().residentBlocks()).isBetween(before, 6);
            before = plan.residency().residentBlocks();
            partly |= before > 0 && before < 6;
        }
        assertThat(partly).isTrue();
        assertThat(before).isEqualTo(6);
        assertThat(MemoryPlan.within(most.peakBytes(), small(), MemoryPlanTest::card).activations())
                .isEqualTo(most.activations());
    }

    @Test
    void theItemsAddUp() {
        MemoryPlan plan = MemoryPlan.within(Long.MAX_VALUE, small(), MemoryPlanTest::card);
        assertThat(plan.trainedBytes() + plan.weightBytes() + plan.standing().ring())
                .isEqualTo(plan.standing().bytes());
        List<MemoryTable.Row> rows = MemoryTable.of(plan);
        List<String> names = rows.stream().map(MemoryTable.Row::name).toList();
        long parts = rows.subList(0, names.indexOf("scratch") + 1).stream().mapToLong(MemoryTable.Row::bytes).sum();
        assertThat(parts).isEqualTo(plan.standing().bytes() + plan.workBytes() + plan.scratchBytes());
        assertThat(names).contains("while training", "while measuring", "while loading", "at the peak",
                "on the host, pinned");
        assertThat(plan.toString()).startsWith("all 6 blocks stay on the device; nothing is computed twice; ");
    }

    @Test
    void whatFitsInNoWayIsRefusedWithTheNumbersAndTheRemedies() {
        assertThatThrownBy(() -> MemoryPlan.smallest(10 * GIB, wide(), MemoryPlanTest::card))
                .isInstanceOfSatisfying(UserMistake.class, mistake -> assertThat(mistake.problems()).singleElement()
                        .satisfies(problem -> assertThat(problem.code()).isEqualTo("DEVICE_TOO_SMALL"))
                        .asString().contains("10.00 GiB may be used", "activations", "optimiser", "scratch",
                                "datasets[].resolution", "network.linear", "model.qtype"));
    }

    /// Eight pictures of four megapixels at once.
    private static Workload wide() {
        Workload released = released();
        return new Workload(RELEASED, EIGHT_BITS, null, released.trained(),
                new PassShape(8, List.of(new Grid(128, 128)), 200, true), null, null);
    }

    /// 1 GiB of a card is the driver's.
    @Test
    void cardsThatPeopleHave() {
        MemoryPlan small = MemoryPlan.within(23 * GIB, released(), MemoryPlanTest::card);
        assertThat(small.residency().residentBlocks()).isEqualTo(60);
        assertThat(small.activations().inputs()).isBetween(1, 60);
        MemoryPlan large = MemoryPlan.within(79 * GIB, released(), MemoryPlanTest::card);
        assertThat(large.activations()).isEqualTo(ActivationPlan.of(60, Keep.ALL));
    }

    @Test
    void operandsInEightBitsTakeScratchMemory() {
        long decoded = MemoryPlan.smallest(Long.MAX_VALUE, released(), MemoryPlanTest::card).scratchBytes();
        long coded = MemoryPlan.smallest(Long.MAX_VALUE, released(), () -> CudaBackend.rehearsal(
                new CudaSettings(DType.BF16, ProductMode.EIGHT_BIT), true)).scratchBytes();
        // An operand of 4096 x 12288, and a weight that is turned round.
        assertThat(coded - decoded).isGreaterThan((4096 + 3072) * 12288);
    }
}
