package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.util.List;
import nocturne.cuda.Simulated;
import nocturne.golden.Golden;
import nocturne.io.DType;
import nocturne.tensor.Backend;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The training runs of [TrainingGoldenTest] by the CUDA backend on the simulated device.
class CudaTrainingGoldenTest {
    /// A run with more of them is followed in bf16 for its first steps only: on the simulator it takes too long.
    private static final int MOST_MICRO_STEPS = 15;
    private static final int FIRST_STEPS = 6;

    /// What bf16 may change: about twice what it does when each run is followed to its end. It rounds each activation
    /// and frozen weight by 0.4 % at most, up as often as down, and a loss is a mean over them: 0.12 % of one was the
    /// most. Gradients sum up fewer: 0.9 % of a norm. AdamW moves a parameter by its gradient relative to that
    /// parameter's own gradients, so that of small gradients the rounding counts as much as of large ones: 2.6 % of the
    /// update, 3.5 % of the average's, which is shorter.
    private static final double LOSS_PERCENT = 0.25;
    private static final double NORM_PERCENT = 1.8;
    private static final double UPDATE = 0.05;
    private static final double AVERAGE_UPDATE = 0.07;

    static List<TrainingCase> cases() {
        return TrainingCase.all();
    }

    /// Within the CPU backend's bounds.
    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void followsTheReferenceInFloat32(TrainingCase golden) {
        try (Backend backend = Simulated.backend(DType.F32)) {
            TrainingGoldenTest.check(golden, golden.follow(golden.steps(), backend));
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void staysCloseToTheReferenceInBf16(TrainingCase golden) {
        boolean whole = golden.losses(golden.steps()).length <= MOST_MICRO_STEPS;
        int steps = whole ? golden.steps() : FIRST_STEPS;
        try (Backend backend = Simulated.backend(DType.BF16)) {
            TrainingCase.Outcome ours = golden.follow(steps, backend);
            checkEach("loss of micro-step", ours.losses(), golden.losses(steps), LOSS_PERCENT);
            checkEach("gradient norm of step", ours.norms(), golden.norms(steps), NORM_PERCENT);
            if (!whole) return;
            assertThat(Golden.relativeL2(ours.update(), golden.update())).as("update").isLessThan(UPDATE);
            assertThat(Golden.relativeL2(ours.averageUpdate(), golden.averageUpdate())).as("average's update")
                    .isLessThan(AVERAGE_UPDATE);
        }
    }

    private static void checkEach(String what, double[] ours, double[] golden, double percent) {
        assertThat(ours).hasSameSizeAs(golden);
        for (int i = 0; i < golden.length; i++) {
            assertThat(ours[i]).as("%s %d", what, i + 1).isCloseTo(golden[i], withinPercentage(percent));
        }
    }
}
