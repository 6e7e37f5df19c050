package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import nocturne.cpu.CpuBackend;
import nocturne.cuda.CudaSettings;
import nocturne.cuda.ProductMode;
import nocturne.cuda.Simulated;
import nocturne.io.DType;
import nocturne.memory.ActivationPlan;
import nocturne.quant.WeightType;
import nocturne.qwen.Grid;
import nocturne.qwen.TransformerConfig;
import nocturne.tensor.Backend;
import nocturne.tensor.Tape.Keep;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What `nocturne bench` measures is a training step of the size asked for, whatever the device.
class BenchTest {
    private static final Bench.Size SMALL = new Bench.Size("small",
            new TransformerConfig(2, 2, 32, 64, 64, List.of(8, 12, 12), false), new Grid(2, 3), 5);

    private static Bench.Settings settings(@Nullable WeightType format, @Nullable Keep keep, @Nullable Long budget) {
        return new Bench.Settings(SMALL, format, 2, 0, keep, budget);
    }

    private static Bench.Result onCpu(Bench.Settings settings) {
        try (Backend backend = new CpuBackend(1)) {
            return Bench.run(settings, backend);
        }
    }

    /// Same random weights, noise and text on both, so the same loss: the random numbers made on the device are right,
    /// and the codes made there mean them. bf16 and 8 bits move it by some per cent.
    @ParameterizedTest
    @CsvSource({", ", "INT8, PRODUCTS", "FLOAT8, INPUTS", "UINT4, ALL"})
    void theSimulatedDeviceComputesTheSameStep(@Nullable WeightType format, @Nullable Keep keep) {
        Bench.Result expected = onCpu(settings(format, keep, null));
        try (Backend backend = Simulated.backend(DType.BF16)) {
            Bench.Result ours = Bench.run(settings(format, keep, null), backend);
            assertThat(ours.loss()).isCloseTo(expected.loss(), within(0.02 * expected.loss()));
            assertThat(ours.plan().activations()).isEqualTo(expected.plan().activations());
            assertThat(ours.medianMs()).isPositive();
            assertThat(ours.parts().update()).isPositive();
            assertThat(OperationBench.run(settings(format, keep, null), backend)).hasSize(8)
                    .allMatch(time -> time.milliseconds() > 0 && time.flops() > 0);
        }
    }

    /// Nothing is multiplied in 8 bits before it was tried: what was chosen is told.
    @Test
    void productsInEightBitsAreTriedFirst() {
        try (Backend backend = Simulated.backend(new CudaSettings(DType.BF16, ProductMode.EIGHT_BIT))) {
            assertThat(Bench.run(settings(WeightType.INT8, null, null), backend).notices())
                    .anyMatch(notice -> notice.contains("multiplied in 8 bits"));
            assertThat(OperationBench.run(settings(WeightType.INT8, null, null), backend)).hasSize(8);
        }
    }

    @Test
    void onTheProcessorBlocksKeepWhatTheyAreTold() {
        assertThat(onCpu(settings(null, null, null)).plan().activations()).isEqualTo(new ActivationPlan(2, 0, 0));
        assertThat(onCpu(settings(null, Keep.INPUTS, null)).plan().activations())
                .isEqualTo(new ActivationPlan(2, 2, 0));
    }

    /// By hand, in units of 10^12: linear layers 2 x (60 x 12 x 4096 + (59 x 12 + 3) x 200) x 3072^2 forward and as
    /// much backward; attention 4 x 4296^2 x 3072 x 60 forward and 2.5 times that backward.
    @Test
    void aStepOfTheReleasedModelTakes164TeraFlop() {
        StepWork work = StepWork.of(Bench.Size.FULL.config(), 64 * 64, 200);
        assertThat(work.linear() / 1e12).isCloseTo(58.35, within(0.01));
        assertThat(work.attention() / 1e12).isCloseTo(13.61, within(0.01));
        assertThat(work.step() / 1e12).isCloseTo(164.3, within(0.1));
    }
}
