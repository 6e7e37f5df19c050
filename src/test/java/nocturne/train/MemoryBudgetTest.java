package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.OptionalLong;
import nocturne.cpu.CpuBackend;
import nocturne.cuda.CudaBackend;
import nocturne.cuda.CudaSettings;
import nocturne.io.DType;
import nocturne.tensor.Backend;
import org.junit.jupiter.api.Test;

/// How much of a device a run may take, of what was asked and what there is.
class MemoryBudgetTest {
    private static final long GIB = 1L << 30;

    @Test
    void theProcessorHasNoLimitUnlessSomebodyAsks() {
        try (Backend processor = new CpuBackend(1)) {
            assertThat(MemoryBudget.FREE.on(processor.memory())).isEmpty();
            assertThat(MemoryBudget.of(4 * GIB).on(processor.memory())).hasValue(3 * GIB);
        }
    }

    /// The driver's context comes out of what is asked for; a share is one of the rest.
    @Test
    void theLeastOfAllWishesCounts() {
        try (Backend card = CudaBackend.rehearsal(CudaSettings.of(DType.BF16), true)) {
            MemoryBudget option = MemoryBudget.of(24 * GIB);
            assertThat(option.on(card.memory())).hasValue(23 * GIB);
            assertThat(option.limitedTo(null)).isEqualTo(option);
            assertThat(option.limitedTo(9 * GIB).on(card.memory())).hasValue(8 * GIB);
            assertThat(option.limitedTo(80 * GIB).on(card.memory())).hasValue(23 * GIB);
            assertThat(MemoryBudget.FREE.limitedTo(9 * GIB).on(card.memory())).hasValue(8 * GIB);
            assertThat(new MemoryBudget(OptionalLong.of(5 * GIB), 0.5).on(card.memory())).hasValue(2 * GIB);
        }
    }

    @Test
    void noShareIsNone() {
        assertThatThrownBy(() -> new MemoryBudget(OptionalLong.empty(), 0))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
