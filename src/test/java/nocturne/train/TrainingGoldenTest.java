package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import nocturne.cpu.CpuBackend;
import nocturne.golden.Golden;
import nocturne.io.TensorSource;
import nocturne.tensor.Backend;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Whole training runs of the reference trainer: every loss, every gradient norm, the final weights and their average.
///
/// Tolerances are the reference's for float32: losses 1e-4; final weights 2e-4 in absolute terms and 1e-3 relative L2
/// of the update.
class TrainingGoldenTest {
    static List<TrainingCase> cases() {
        return TrainingCase.all();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void followsTheReferenceStepByStep(TrainingCase golden) {
        try (Backend backend = CpuBackend.withAllProcessors()) {
            check(golden, golden.follow(golden.steps(), backend));
        }
    }

    /// @param ours after all the reference's steps
    static void check(TrainingCase golden, TrainingCase.Outcome ours) {
        assertThat(ours.losses()).containsExactly(golden.losses(golden.steps()), within(1e-4));
        assertThat(ours.norms()).containsExactly(golden.norms(golden.steps()), within(1e-3));
        checkUpdate(ours.update(), golden.update());
        checkUpdate(ours.averageUpdate(), golden.averageUpdate());
        checkMoments(golden, ours);
    }

    private static void checkUpdate(float[] ours, float[] golden) {
        assertThat(Golden.maxAbsDiff(ours, golden)).as("largest error of a weight").isLessThan(2e-4);
        assertThat(Golden.relativeL2(ours, golden)).as("relative L2 of the update").isLessThan(1e-3);
    }

    private static void checkMoments(TrainingCase golden, TrainingCase.Outcome ours) {
        String file = "golden/train_%s_optimizer.safetensors".formatted(golden.name());
        if (!Golden.path(file).toFile().exists()) return;
        TensorSource moments = Golden.tensors(file);
        compareMoments(golden, ours.m(), moments, "exp_avg.");
        compareMoments(golden, ours.v(), moments, "exp_avg_sq.");
    }

    /// Tensors that never had a gradient have no moments in the file; ours are zero.
    private static void compareMoments(TrainingCase golden, float[] ours, TensorSource moments, String prefix) {
        int rank = golden.layout().rank();
        for (var slot : golden.layout().slots()) {
            compareMoment(moments, prefix + slot.module() + ".lora_A.weight", ours, slot.downAt(), rank * slot.in());
            compareMoment(moments, prefix + slot.module() + ".lora_B.weight", ours, slot.upAt(), rank * slot.out());
        }
    }

    private static void compareMoment(TensorSource golden, String name, float[] ours, long at, int length) {
        float[] mine = Arrays.copyOfRange(ours, (int) at, (int) at + length);
        float[] theirs = golden.has(name) ? golden.floats(name) : new float[length];
        assertThat(Golden.maxAbsDiff(mine, theirs)).as(name).isLessThan(1e-5);
        assertThat(Golden.relativeL2(mine, theirs)).as("relative L2 of " + name).isLessThan(1e-3);
    }
}
