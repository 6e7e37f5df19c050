package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import nocturne.cpu.CpuBackend;
import nocturne.tensor.Backend;
import nocturne.tensor.Tape.Keep;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Steps of a small random model under both policies of what a block keeps.
class LearnerTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 6})
    void keepingOnlyInputsGivesTheSameBits(int layers) {
        try (Backend backend = new CpuBackend(2); OneStep step = new OneStep(backend, layers)) {
            OneStep.Result all = step.run(Keep.ALL);
            OneStep.Result inputs = step.run(Keep.INPUTS);
            assertThat(all.loss()).isGreaterThan(0);
            assertThat(inputs.loss()).isEqualTo(all.loss());
            assertThat(inputs.gradients()).isEqualTo(all.gradients());
            assertThat(all.gradients()).doesNotContain(Float.NaN);
            assertThat(inputs.digest()).isEqualTo(all.digest());
        }
    }

    @ParameterizedTest
    @EnumSource(Keep.class)
    void nothingOfAStepStaysInTheArena(Keep keep) {
        try (Backend backend = new CpuBackend(2); OneStep step = new OneStep(backend, 3)) {
            step.run(keep);
            long next = nextAddress(step.passes);
            long reserved = step.passes.reservedBytes();
            long peak = step.passes.peakBytes();
            for (int i = 0; i < 3; i++) step.run(keep);
            assertThat(nextAddress(step.passes)).isEqualTo(next);
            assertThat(step.passes.reservedBytes()).isEqualTo(reserved);
            assertThat(step.passes.peakBytes()).isEqualTo(peak);
        }
    }

    /// Where the next tensor would lie.
    private static long nextAddress(TensorArena arena) {
        try (TensorArena.Scope scope = arena.scope()) {
            return arena.allocate(1).data().address();
        }
    }

    @Test
    void keepingOnlyInputsTakesLessMemory() {
        long[] peaks = Arrays.stream(Keep.values()).mapToLong(keep -> peak(keep, 6)).toArray();
        assertThat(peaks[Keep.INPUTS.ordinal()]).isLessThan(peaks[Keep.ALL.ordinal()] / 2);
    }

    /// Each block more costs two streams, not a block's intermediate results.
    @Test
    void oneBlockMoreCostsItsInputsAlone() {
        long more = peak(Keep.INPUTS, 6) - peak(Keep.INPUTS, 5);
        long streams = 4L * 48 * 2 * (29 + 7);
        assertThat(more).isBetween(streams, 2 * streams);
    }

    private static long peak(Keep keep, int layers) {
        try (Backend backend = new CpuBackend(1); OneStep step = new OneStep(backend, layers)) {
            step.run(keep);
            return step.passes.peakBytes();
        }
    }
}
