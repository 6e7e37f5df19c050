package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.function.Function;
import nocturne.io.DType;
import nocturne.tensor.Shape;
import nocturne.tensor.Tensor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// That a library which is wrong in one way or another does not pass.
final class LibraryTrialTest {
    /// What a library may do.
    enum Mistake {
        NONE, FORGETS_BETA, FORGETS_BIAS, FORGETS_ALPHA, ADDS_WHAT_WAS_THERE, SUMS_ONE_LESS, TAKES_ROWS_FOR_COLUMNS,
        HAS_NOTHING
    }

    /// What it may do with codes.
    enum CodeMistake { NONE, FORGETS_BETA, FORGETS_BIAS, FORGETS_SCALES, SWAPS_SCALES, HAS_NOTHING }

    @BeforeEach
    void needsTheSimulator() {
        assumeTrue(Simulated.isWanted(), "the simulator is not wanted");
    }

    @ParameterizedTest
    @EnumSource
    void aWrongProductIsFound(Mistake mistake) {
        Optional<String> fault = tried(new PlainLibrary() {
            @Override
            public boolean product(Tensor a, boolean transposeA, Tensor b, boolean transposeB, @Nullable Tensor bias,
                    float alpha, float beta, Tensor c) {
                return switch (mistake) {
                    case NONE -> super.product(a, transposeA, b, transposeB, bias, alpha, beta, c);
                    case FORGETS_BETA -> super.product(a, transposeA, b, transposeB, bias, alpha, 0, c);
                    case FORGETS_BIAS -> super.product(a, transposeA, b, transposeB, null, alpha, beta, c);
                    case FORGETS_ALPHA -> super.product(a, transposeA, b, transposeB, bias, 1, beta, c);
                    case ADDS_WHAT_WAS_THERE -> super.product(a, transposeA, b, transposeB, bias, alpha,
                            beta == 0 ? 1 : beta, c);
                    case SUMS_ONE_LESS -> !transposeA || transposeB
                            ? super.product(a, transposeA, b, transposeB, bias, alpha, beta, c)
                            : super.product(a.slice(0, a.rows() - 1, a.columns()), true,
                                    b.slice(0, b.rows() - 1, b.columns()), false, bias, alpha, beta, c);
                    case TAKES_ROWS_FOR_COLUMNS -> super.product(transposeA ? turned(a) : a, false,
                            transposeB ? turned(b) : b, false, bias, alpha, beta, c);
                    case HAS_NOTHING -> false;
                };
            }
        }, LibraryTrial::faultOfProducts);
        assertThat(fault.isPresent()).as("%s", fault).isEqualTo(mistake != Mistake.NONE);
        if (mistake == Mistake.FORGETS_BETA) {
            assertThat(fault.orElseThrow()).startsWith("its trial went wrong: ").contains("beta -2.0", "row 0, column")
                    .contains("should be");
        }
    }

    private static Tensor turned(Tensor matrix) {
        return matrix.reshape(matrix.columns(), matrix.rows());
    }

    @ParameterizedTest
    @EnumSource
    void aWrongProductOfCodesIsFound(CodeMistake mistake) {
        Optional<String> fault = tried(new PlainLibrary() {
            @Override
            public boolean codeProduct(Tensor x, Tensor xScale, Tensor w, Tensor wScale, @Nullable Tensor bias,
                    float beta, Tensor y, boolean fast) {
                return switch (mistake) {
                    case NONE -> super.codeProduct(x, xScale, w, wScale, bias, beta, y, fast);
                    case FORGETS_BETA -> super.codeProduct(x, xScale, w, wScale, bias, 0, y, fast);
                    case FORGETS_BIAS -> super.codeProduct(x, xScale, w, wScale, null, beta, y, fast);
                    case FORGETS_SCALES -> super.codeProduct(x, first(xScale, x.rows()), w, wScale, bias, beta, y,
                            fast);
                    case SWAPS_SCALES -> super.codeProduct(x, wScale, w, wrapped(xScale, w.rows()), bias, beta, y,
                            fast);
                    case HAS_NOTHING -> false;
                };
            }
        }, LibraryTrial::faultOfCodeProducts);
        boolean isFine = mistake == CodeMistake.NONE || mistake == CodeMistake.HAS_NOTHING;
        assertThat(fault.isEmpty()).as("%s", fault).isEqualTo(isFine);
    }

    /// The first number for all rows.
    private static Tensor first(Tensor scales, int count) {
        return repeated(scales, count, 1);
    }

    private static Tensor wrapped(Tensor scales, int count) {
        return repeated(scales, count, scales.columns());
    }

    private static Tensor repeated(Tensor scales, int count, int period) {
        float[] numbers = scales.data().toArray(ValueLayout.JAVA_FLOAT);
        MemorySegment memory = Arena.ofAuto().allocate(4L * count, 16);
        for (int i = 0; i < count; i++) {
            memory.setAtIndex(ValueLayout.JAVA_FLOAT, i, numbers[i % period]);
        }
        return new Tensor(Shape.of(count), DType.F32, memory);
    }

    private static Optional<String> tried(LibraryProducts library, Function<LibraryTrial, Optional<String>> trial) {
        try (Device device = new SimulatedDevice(); LibraryTrial made = new LibraryTrial(device, library)) {
            return trial.apply(made);
        }
    }
}
