package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import nocturne.cpu.CpuBackend;
import nocturne.cuda.CudaSettings;
import nocturne.cuda.ProductMode;
import nocturne.cuda.Simulated;
import nocturne.io.DType;
import nocturne.problem.UserMistake;
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
            assertThat(ours.kept()).isEqualTo(expected.kept());
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
    void blocksKeepWhatTheMemoryAllows() {
        assertThat(onCpu(settings(null, null, 1L << 30)).kept()).isEqualTo(new Bench.Kept(2, 0, 0));
        assertThat(onCpu(settings(null, Keep.INPUTS, null)).kept()).isEqualTo(new Bench.Kept(0, 0, 2));
        assertThatThrownBy(() -> onCpu(settings(null, null, 1000L)))
                .isInstanceOf(UserMistake.class).hasMessageContaining("beside the model");
    }

    /// The arenas get what is needed in one piece and do not grow: the weights' holds a byte for each frozen number in
    /// 8 bits or two in bf16, and value, gradient and two moments in float32 for each trained one; to that come scales
    /// and biases, and for a pass the least block of 4 MiB. An arena that had to grow would hold 4 MiB more at least.
    @ParameterizedTest
    @CsvSource({"INT8, 1", ", 2"})
    void memoryIsAskedForOnce(@Nullable WeightType format, int bytes) {
        Bench.Size wide = new Bench.Size("wide",
                new TransformerConfig(2, 4, 64, 64, 64, List.of(16, 24, 24), false), new Grid(1, 1), 1);
        try (Backend backend = Simulated.backend(DType.BF16)) {
            Bench.Result result = Bench.run(new Bench.Settings(wide, format, 1, 0, Keep.INPUTS, null), backend);
            long least = bytes * result.baseParameters() + 16 * result.loraParameters() + (4 << 20);
            assertThat(result.tensorBytes() - least).isBetween(0L, 7L << 19);
        }
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
