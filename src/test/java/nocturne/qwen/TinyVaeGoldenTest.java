package nocturne.qwen;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.stream.IntStream;
import nocturne.cpu.CpuBackend;
import nocturne.golden.Golden;
import nocturne.io.TensorSource;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The tiny pipeline's autoencoder, from the files as they are shipped (bfloat16, one residual block a level), against
/// diffusers in float32.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TinyVaeGoldenTest {
    private static final double BOUND = 1e-4;
    private static final JsonNode RUNS = Golden.json("tiny/reference.json");

    private final TensorSource golden = Golden.tensors("tiny/reference.safetensors");
    private final CpuBackend backend = new CpuBackend(2);
    private final TensorArena weights = backend.newArena();
    private Vae vae;

    @BeforeAll
    void load() {
        Path folder = Path.of("models/qwen-image-tiny/vae");
        Golden.assumePresent(folder);
        vae = Vae.load(folder, backend, weights);
    }

    @AfterAll
    void close() {
        weights.close();
        backend.close();
    }

    static IntStream runs() {
        return IntStream.range(0, RUNS.size());
    }

    @ParameterizedTest
    @MethodSource("runs")
    void decodesAndEncodesAsTheReferencePipelineDid(int run) {
        int scale = vae.config().scale();
        int height = RUNS.path(run).path("height").asInt();
        int width = RUNS.path(run).path("width").asInt();
        float[] latents = Latents.unpack(
                golden.floats(run + ".final_packed"), vae.config().latentDim(), height / scale, width / scale);
        float[] image = golden.floats(run + ".image");
        assertThat(Golden.maxAbsDiff(vae.decode(latents, height / scale, width / scale), image))
                .as("picture").isLessThanOrEqualTo(BOUND);
        float[] again = vae.encode(image, height, width).mode();
        assertThat(Golden.maxAbsDiff(again, golden.floats(run + ".reencoded_latents")))
                .as("latents").isLessThanOrEqualTo(BOUND);
    }
}
