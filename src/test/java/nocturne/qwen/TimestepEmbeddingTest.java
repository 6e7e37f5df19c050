package nocturne.qwen;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import nocturne.golden.Golden;
import nocturne.io.Safetensors;
import org.junit.jupiter.api.Test;

class TimestepEmbeddingTest {
    /// The set in the repository, whatever set is run: it is from a build of the reference whose `e^x` we repeat bit
    /// for bit. The last bit of one frequency would make 3e-5 here.
    @Test
    void followsTheReferencesOrderOfOperationsToTheLastBitOfEveryFrequency() {
        try (Safetensors golden = Safetensors.open(Path.of("src/test/resources/golden/time_proj.safetensors"))) {
            float[] ours = TimestepEmbedding.sinusoid(golden.floats("timestep"));
            assertThat(Golden.maxAbsDiff(ours, golden.floats("sinusoid"))).isLessThan(1e-6);
        }
    }
}
