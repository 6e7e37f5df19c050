package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicInteger;
import nocturne.io.DType;
import nocturne.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A comparison of twins fails where it must: each program here does something else on one side, on purpose.
class TwinsTest {
    private static boolean onCuda(Side side) {
        return side.backend().name().startsWith("cuda");
    }

    private static void write(Side side, Tensor tensor, float... numbers) {
        side.backend().write(numbers, tensor);
    }

    /// Allowed are 4 units, `4 * 2^-24 = 2.4e-7`, and for bf16 half a unit of its own more, `2^-8 = 3.9e-3`.
    @ParameterizedTest
    @CsvSource({"F32, 2e-7, true", "F32, 3e-7, false", "BF16, 3e-3, true", "BF16, 9e-3, false"})
    void aResultMayBeOffByItsRoundings(DType type, float off, boolean accepted) {
        Runnable comparison = () -> Twins.compare(type, 4,
                side -> write(side, side.result("y", 2), 1.5f, onCuda(side) ? 1 + off : 1));
        if (accepted) comparison.run();
        else assertThatThrownBy(comparison::run).isInstanceOf(AssertionError.class).hasMessageContaining("y[1]");
    }

    @Test
    void float32ResultsAreHeldToFloat32UnderBf16() {
        assertThatThrownBy(() -> Twins.compare(DType.BF16, 4,
                        side -> write(side, side.resultFloats("sum", 1), onCuda(side) ? 1.003f : 1)))
                .hasMessageContaining("sum[0]");
    }

    @Test
    void nothingIsCloseToInfinity() {
        assertThatThrownBy(() -> Twins.compare(DType.F32, 4,
                        side -> write(side, side.result("y", 1), onCuda(side) ? 1 : Float.POSITIVE_INFINITY)))
                .isInstanceOf(AssertionError.class).hasMessageContaining("y[0]");
    }

    @Test
    void aResultThatWasNotWrittenIsNoResult() {
        assertThatThrownBy(() -> Twins.compare(DType.F32, 1e9, side -> {
            Tensor y = side.result("y", 1);
            if (!onCuda(side)) write(side, y, 1);
        })).hasMessageContaining("y[0]").hasMessageContaining("was NaN");
    }

    @Test
    void anInputStaysAsItWas() {
        assertThatThrownBy(() -> Twins.compare(DType.F32, 1e9, side -> {
            Tensor x = side.given("x", 1);
            if (onCuda(side)) write(side, x, 1);
        })).hasMessageContaining("input x");
    }

    /// Even a difference that is smaller than what the result may be off.
    @Test
    void anotherOrderOfThreadsGivesTheSameBits() {
        AtomicInteger runs = new AtomicInteger();
        assertThatThrownBy(() -> Twins.compare(DType.F32, 1e9,
                        side -> write(side, side.result("y", 1), onCuda(side) ? runs.incrementAndGet() : 1)))
                .hasMessageContaining("y, DESCENDING against ASCENDING");
    }

    /// bf16 cannot hold the input of the CPU's side, unless both are given the same rounded numbers.
    @Test
    void bothSidesComputeFromTheSameNumbers() {
        Twins.compare(DType.BF16, 0, side -> {
            Tensor x = side.given("x", new float[] {1.2345678f, 3.1415927f}, 2);
            side.backend().elementwise().copy(x, side.result("y", 2));
        });
    }
}
