package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import nocturne.cpu.CpuBackend;
import nocturne.tensor.Backend;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.Test;

/// No operation without a twin.
class TwinListTest {
    private static final List<Class<?>> TWINS = List.of(AdamW8TwinTest.class, AttentionTwinTest.class,
            ConvolutionTwinTest.class, ElementwiseTwinTest.class, NormsTwinTest.class, OptimisationTwinTest.class,
            ProductsTwinTest.class);

    @Test
    void everyOperationIsComparedInEveryTypeOfStorage() throws InterruptedException {
        assumeTrue(HostCompiler.isInstalled(), "g++ is not installed, so nothing is compared");
        TwinRun.ofWhatIsMissing(TWINS);
        assertThat(TwinList.ofThisRun().haveRun(TWINS)).isTrue();
        assertThat(TwinList.ofThisRun().missing()).as("operations that no test has compared").isEmpty();
    }

    /// What is called through a watched backend is noted under the calling test, nothing else is.
    @Test
    void whatIsCalledIsNotedAndTheRestIsMissing() {
        TwinList list = new TwinList();
        int all = list.missing().size();
        assertThat(list.missing()).contains("Norms.rmsNormBackward in BF16", "Attention.forward in F32")
                .doesNotContain("Optimisation.adamW in BF16");
        try (Backend backend = list.watched(new CpuBackend(1)); TensorArena arena = backend.newArena()) {
            backend.elementwise().fill(arena.allocate(3), 1);
        }
        assertThat(list.missing()).hasSize(all - 1).doesNotContain("Elementwise.fill in F32");
        assertThat(list.text()).contains("| `Elementwise.fill` | value | "
                + "`TwinListTest.whatIsCalledIsNotedAndTheRestIsMissing` | **none** |");
        assertThat(list.haveRun(List.of(TwinListTest.class))).isTrue();
        assertThat(list.haveRun(TWINS)).isFalse();
    }
}
